"""The registries of the verdict benchmark: every kind of mutant and rewrite applies somewhere, and changes the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from onnx import NodeProto
from verdicts.graph import Graph, attribute
from verdicts.models import MODELS
from verdicts.mutations import MUTATIONS, Edit, mutants
from verdicts.mutations.registry import mutation
from verdicts.scores import CLASSES
from verdicts.subject import Subject, make_subject
from verdicts.trial import healthy_bundle

from assay.converters.examples import trace_sizes, typical_feeds

# between them these have every operator that a mutation looks for
COVERING = (
    "encoder",
    "unet",
    "detector",
    "tabular",
    "text_embedding",
    "decoder",
    "calendar",
    "experts",
    "gru",
    "warp",
    "audio",
    "decoder_step",
    "generator",
    "tf_detector",
)
TEXT = """
<ir_version: 9, opset_import: ["" : 20], metadata_props: ["a": "1", "b": "2"]>
g (float[batch,4] x) => (float[batch,3] y) <float[4,3] w = {1,2,3,4,5,6,7,8,9,10,11,12}, float[3] b = {1,2,3}> {
    m = MatMul(x, w)
    s = Add(m, b)
    y = Softmax(s)
}"""


def subject() -> Subject:
    model = onnx.parser.parse_model(TEXT)
    for place, node in enumerate(model.graph.node):
        node.name = f"node{place}"
    return make_subject("tiny", model, {"x": np.ones((2, 4), np.float32)})


def test_every_mutation_is_of_a_known_class() -> None:
    assert {kind.letter for kind in MUTATIONS.values()} == set(CLASSES)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_says_what_it_is(name: str) -> None:
    kind = MUTATIONS[name]
    assert kind.id == name
    assert kind.says
    assert kind.edits.__doc__


def test_two_mutations_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="W1 is registered already"):
        mutation("W1", "again")(lambda _: ())


def test_a_mutant_has_other_bytes_and_leaves_the_subject_alone() -> None:
    healthy = subject()
    before = healthy.model.SerializeToString()
    made = [mutant for kind in MUTATIONS.values() for mutant in mutants(healthy, kind)]
    assert len(made) > 50
    assert all(mutant.model.SerializeToString() != before for mutant in made)
    assert healthy.model.SerializeToString() == before
    assert len({mutant.id for mutant in made}) == len(made)


def test_a_mutant_names_the_node_where_it_sits_and_those_that_it_adds() -> None:
    (mutant,) = mutants(subject(), MUTATIONS["N5"])
    assert mutant.nodes == ("node2",)
    first = next(iter(mutants(subject(), MUTATIONS["P6"])))
    assert first.nodes[0] == "node0"
    assert len(first.nodes) == 3


def test_a_weight_mutant_sits_in_no_node() -> None:
    assert all(mutant.nodes == () for mutant in mutants(subject(), MUTATIONS["W4"]))


def test_an_edit_that_changes_nothing_is_no_mutant() -> None:
    def nothing(graph: Graph, node: NodeProto) -> None:
        pass

    kind = MUTATIONS["W1"].__class__("W99", "nothing", lambda _: [Edit(None, nothing)])
    assert list(mutants(subject(), kind)) == []


def test_a_node_put_in_behind_a_value_is_seen_by_all_who_take_it() -> None:
    graph = Graph.copy(subject().model)
    node = graph.insert_after("s", "Neg")
    assert node.output[0] == "s"
    assert graph.producer(node.input[0]).op_type == "Add"  # type: ignore[union-attr]
    assert [other.op_type for other in graph.consumers("s")] == ["Softmax"]
    onnx.checker.check_model(graph.model, full_check=True)


def test_a_scalar_constant_stays_a_scalar() -> None:
    graph = Graph.copy(subject().model)
    name = graph.add_constant(np.array(2.0, np.float32))
    assert graph.constant(name).shape == ()  # type: ignore[union-attr]


def test_an_attribute_that_is_not_there_has_its_default() -> None:
    (_, node), *_ = subject().graph.of("Softmax")
    assert attribute(node, "axis", -1) == -1


@pytest.mark.slow
def test_every_mutation_applies_to_a_model(tmp_path: Path) -> None:
    left = dict(MUTATIONS)
    for name in COVERING:
        architecture = MODELS[name]
        bundle = healthy_bundle(architecture, architecture.factory(), tmp_path)
        feeds = typical_feeds(bundle.interface.inputs, trace_sizes(bundle.interface), 0)
        model = make_subject(name, onnx.load(bundle.model), feeds)
        left = {key: kind for key, kind in left.items() if next(iter(mutants(model, kind)), None) is None}
    assert not left
