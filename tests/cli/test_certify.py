"""``assay certify`` from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_onnx
from command_line import assay, refusal

from assay.specs.schemas import validate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models, é"
    folder.mkdir()
    tiny_onnx.write(tiny_onnx.RELU, folder / "m.onnx")
    return folder


def twin(folder: Path, place: str, **fields: object) -> Path:
    """A manifest and its source in a folder of their own, of whose name they are if they have no other."""
    (folder / place).mkdir()
    tiny_onnx.write(tiny_onnx.RELU, folder / place / "m.onnx")
    return tiny_onnx.manifest(folder / place, **{"name": place, **fields})


def test_a_model_that_passes_is_status_0_and_its_report_is_named(folder: Path, tmp_path: Path) -> None:
    ran = assay("certify", tiny_onnx.manifest(folder), "-o", tmp_path / "an output, ü")
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.endswith(f"report: {tmp_path / 'an output, ü' / 'report.html'}\n")
    assert (tmp_path / "an output, ü" / "bundle" / "certificate.json").is_file()


def test_a_provider_that_is_not_here_is_status_3_with_the_reason(folder: Path, tmp_path: Path) -> None:
    ran = assay("certify", tiny_onnx.manifest(folder, providers=["cpu", "cuda"]), "-o", tmp_path / "out", "--json", "-")
    if any(check["provider"] == "cuda" and check["verdict"] == "pass" for check in ran.json["checks"]):
        pytest.skip("this machine has the provider cuda")
    assert (ran.status, ran.json["verdict"], ran.json["stage"]) == (3, "inconclusive", "parity")
    parity = next(check for check in ran.json["checks"] if check["provider"] == "cuda")
    assert parity["findings"][0]["code"] == "PA014"
    assert "has no CUDAExecutionProvider, but has" in parity["findings"][0]["message"]
    validate("result", ran.json)


def test_a_slow_model_is_status_1(folder: Path, tmp_path: Path) -> None:
    tiny_onnx.write(tiny_onnx.LOOP, folder / "m.onnx")
    path = tiny_onnx.manifest(folder, latency={"samples": 80, "max_p95_ms": 0.01})
    ran = assay("certify", path, "-o", tmp_path / "out")
    assert (ran.status, "LT001" in ran.stdout) == (1, True)


def test_several_manifests_have_a_folder_each_and_the_worst_verdict_counts(folder: Path, tmp_path: Path) -> None:
    paths = [twin(folder, "a"), twin(folder, "b", providers=["qnn"])]
    for _ in range(2):
        ran = assay("certify", *paths, "-o", tmp_path / "out", "--json", "-")
        assert (ran.status, [result["verdict"] for result in ran.json]) == (3, ["pass", "inconclusive"])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("a", "b", "report.html", "summary.md", "junit.xml", "a.result.json", "b.result.json"),
    }


def test_a_manifest_that_can_not_be_judged_does_not_keep_the_others_from_their_verdicts(
    folder: Path, tmp_path: Path
) -> None:
    broken = twin(folder, "a")
    (folder / "a" / "m.onnx").write_bytes(b"no model")
    ran = assay("certify", broken, twin(folder, "b"), "-o", tmp_path / "out")
    assert ran.status == 2
    assert ran.stderr.startswith("assay: a was not judged: ")
    assert "b" in ran.stdout
    assert (tmp_path / "out" / "b" / "bundle" / "certificate.json").is_file()


def test_two_manifests_with_the_same_name_are_refused(folder: Path, tmp_path: Path) -> None:
    paths = [twin(folder, "a"), twin(folder, "b", name="a")]
    ran = assay("certify", *paths, "-o", tmp_path / "out")
    assert (ran.status, ran.stdout) == (2, "")
    assert "but each should have its own" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_certificate_signed_by_the_command_is_verified_by_the_command(folder: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    (tmp_path / "key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pub").write_bytes(public)
    out = tmp_path / "out"
    assert assay("certify", tiny_onnx.manifest(folder), "-o", out, "--key", tmp_path / "key").status == 0
    bundle = out / "bundle"
    assert assay("verify", bundle / "certificate.json", bundle, "--key", tmp_path / "key.pub").status == 0


def test_json_in_a_file_is_the_result_that_is_in_the_folder(folder: Path, tmp_path: Path) -> None:
    assay("certify", tiny_onnx.manifest(folder), "-o", tmp_path / "out", "--json", tmp_path / "r.json")
    result = json.loads((tmp_path / "r.json").read_text())
    assert result == json.loads((tmp_path / "out" / "m.result.json").read_text())


BAD = {
    "no source": ({"source": "no.onnx"}, "no.onnx"),
    "an unknown provider": ({"providers": ["abacus"]}, "abacus"),
    "an unknown task": ({"task": "divination"}, "divination"),
    "an unknown target": ({"lint": {"target": "fridge"}}, "fridge"),
    "a wrong field": ({"latency": {"samples": 1}}, "latency.samples"),
    "data that are not there": (
        {
            "data": {"evaluation": "no.npz"},
            "accuracy": {"metric": "agreement", "output": "y", "variants": {}},
        },
        "no.npz",
    ),
}


@pytest.mark.parametrize(("fields", "says"), BAD.values(), ids=BAD)
def test_what_can_not_be_judged_is_one_sentence(
    fields: dict[str, object], says: str, folder: Path, tmp_path: Path
) -> None:
    assert says in refusal("certify", tiny_onnx.manifest(folder, **fields), "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_can_not_be_written_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tiny_onnx.manifest(folder)
    for output in (tmp_path / "file", tmp_path / "file" / "out", tmp_path, "/proc/out"):
        assert "can't be written" in refusal("certify", path, "-o", output)
    assert "can't be read" in refusal("certify", path, "-o", tmp_path / "out", "--key", tmp_path / "no.pem")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "models, é"]


def test_help_shows_examples() -> None:
    assert "Examples:\n    assay certify" in assay("certify", "--help").stdout
