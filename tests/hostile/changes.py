"""What a liar changes in a set, a key, a release or a message before it says them."""

from dataclasses import replace

import numpy as np

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.merkle import StoredLeaves, consistency_proof, leaf_hash, root
from party.evidence import StoredLog
from party.messages import KeyArtefact
from party.organisation import Organisation
from psi.curve import Scalar, public_point
from psi.sets import LabelledSet

OTHER = Scalar.from_bytes(b"\x05" * 32)
ROOT = bytes(range(32))


def elements(change):
    def changed(labelled):
        some = np.array(labelled.elements)
        change(some)
        return LabelledSet(labelled.sizes, some)

    return changed


@elements
def low_order(some):
    some[0] = 0


@elements
def low_order_of_the_twist(some):
    some[0] = np.frombuffer((2**255 - 20).to_bytes(32, "little"), np.uint8)


@elements
def not_canonical(some):
    some[0] = 255


@elements
def repeated(some):
    some[1] = some[0]


@elements
def repeated_across_labels(some):
    some[-1] = some[0]


@elements
def half_by_another_scalar(some):
    half = np.random.default_rng(7).permutation(len(some))[: len(some) // 2]
    some[half] = np.random.default_rng(8).integers(0, 256, some[half].shape, dtype=np.uint8)
    some[half, -1] &= 0x7F


def turned_round(labelled):
    return LabelledSet(labelled.sizes, np.ascontiguousarray(labelled.elements[::-1]))


def one_less(labelled):
    return LabelledSet((labelled.sizes[0] - 1, *labelled.sizes[1:]), labelled.elements[1:])


def one_more(labelled):
    more = np.concatenate([labelled.elements[:1] ^ 1, labelled.elements])
    return LabelledSet((labelled.sizes[0] + 1, *labelled.sizes[1:]), more)


def a_label_less(labelled):
    first = labelled.sizes[0]
    return LabelledSet(labelled.sizes[1:], np.ascontiguousarray(labelled.elements[first:]))


def another_labels_points(labelled):
    n, first = min(labelled.sizes[:2]), labelled.sizes[0]
    some = np.array(labelled.elements)
    some[:n], some[first : first + n] = labelled.elements[first : first + n], labelled.elements[:n]
    return LabelledSet(labelled.sizes, some)


def another_key(_):
    return KeyArtefact(public_point(OTHER))


def low_order_key(_):
    return KeyArtefact(bytes(32))


def another_shape(release):
    return replace(release, shape=(release.shape[0] + 1, *release.shape[1:]))


def another_numbering(release):
    return replace(release, numbering=tuple(number + 1 for number in release.numbering))


def of_the_hello(**changes):
    return lambda hello, link: replace(
        hello, **{name: change(hello) for name, change in changes.items()}
    )


def consent(**changes):
    return of_the_hello(
        consent=lambda h: replace(h.consent, **{n: c(h) for n, c in changes.items()})
    )


def other_digest(closing, link):
    return replace(closing, digests={step: bytes(32) for step in closing.digests})


def a_step_less(closing, link):
    return replace(closing, digests=dict(list(closing.digests.items())[1:]))


class Forger:
    """Shows histories that the liar does not have: trees of entries, signed with its own keys."""

    liar: Organisation

    def forked_offer(self, offer, link):
        """As long as what was witnessed, with another entry in it."""
        seen = link.their_hello.seen_size
        return self._shown(offer, self._rewritten(seen)[:seen])

    def branched_offer(self, offer, link):
        """All that the log has become, with another entry in what was witnessed, and a proof."""
        own = open_checkpoint(offer.checkpoint, self.liar.identity.verifier)
        seen = link.their_hello.seen_size
        leaves = self._rewritten(seen)[: own.size]
        tree = StoredLeaves(lambda start, stop: leaves[start:stop])
        return self._shown(offer, leaves, tuple(consistency_proof(tree, seen, own.size)))

    def rolled_back_offer(self, offer, link):
        """The log as it was before the last entry that was witnessed."""
        return self._shown(offer, self._leaves()[: link.their_hello.seen_size - 1])

    def cosigns_another_tree(self, cosignature, link):
        own = Checkpoint("somebody.test/log", 7, ROOT)
        line = self.liar.identity.cosigner.cosign(own, 1_800_000_000)
        return replace(cosignature, line=line)

    def _leaves(self):
        return list(StoredLog(self.liar.store, self.liar.identity).leaf_hashes())

    def _rewritten(self, seen):
        leaves = self._leaves()
        leaves[seen // 2] = leaf_hash(b"another entry")
        return leaves

    def _shown(self, offer, leaves, proof=()):
        identity = self.liar.identity
        tree = Checkpoint(identity.log_origin, len(leaves), root(leaves))
        return replace(offer, checkpoint=tree.sign(identity.signer), proof=proof)


FORGER = Forger()


def other_contract(message, link):
    return replace(message, contract_hash=ROOT)
