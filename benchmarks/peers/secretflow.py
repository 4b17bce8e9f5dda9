"""SecretFlow's PSI, by the `spu` package: RR22 (VOLE), KKRT (OT), or ECDH over Curve25519.

    venv-spu/bin/python secretflow.py RR22|KKRT|ECDH --receiver FILE --sender FILE

Its own link over loopback, without TLS. The clock runs from the CSV file to the CSV file, the only
way in and out that it has; importing it and setting up the link come before. It is told that the
digests are distinct, so it need not look.
"""

from __future__ import annotations

from importlib.metadata import version

from meeting import RECEIVER, SENDER, Side, meet

WAIT_MILLISECONDS = 900_000


def play(side: Side) -> None:
    """Take one side through the protocol."""
    from spu import link, psi

    rank = (RECEIVER, SENDER).index(side.role)
    description = link.Desc()
    for number, port in enumerate(side.ports):
        description.add_party(f"side{number}", f"127.0.0.1:{port}")
    description.recv_timeout_ms = description.http_timeout_ms = WAIT_MILLISECONDS
    connected = link.create_brpc(description, rank)
    settings = psi.PsiExecuteConfig(
        protocol_conf=psi.PsiProtocolConfig(
            protocol=psi.parse_protocol(f"PROTOCOL_{side.protocol}"),
            receiver_rank=0,
            broadcast_result=False,
            ecdh_params=psi.EcdhParams(curve=psi.parse_curve_type("CURVE_25519")),
        ),
        input_params=psi.InputParams(path=str(side.file), selected_keys=["id"], keys_unique=True),
        output_params=psi.OutputParams(path=str(side.result)),
        join_conf=psi.ResultJoinConfig(
            type=psi.ResultJoinType.JOIN_TYPE_INNER_JOIN, left_side_rank=0
        ),
    )
    side.wait()
    psi.psi_execute(settings, connected)


if __name__ == "__main__":
    meet(play, version=f"spu {version('spu')}")
