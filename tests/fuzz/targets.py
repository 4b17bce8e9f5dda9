"""Every parser that is fuzzed, by its name."""

import table_targets
import text_targets
import wire_targets

TARGETS = {
    target.name: target
    for module in (wire_targets, text_targets, table_targets)
    for target in module.TARGETS
}
