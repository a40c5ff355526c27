"""Each of our own lowerings is right on the samples of PyTorch's operator database, and upstream's still is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
import torch
from outcomes import Unjudgeable
from pytorch_cases import operators, traps
from pytorch_cases.case import Case
from pytorch_cases.judging import judge

from assay.converters.pytorch.lowerings import registry

SAMPLES = 3
# for each operator of the table the entries of the operator database that come to it
ENTRIES: Mapping[str, str] = {
    "aten::scaled_dot_product_attention": "nn.functional.scaled_dot_product_attention",
    "aten::log1p": "log1p",
    "aten::expm1": "expm1",
    "aten::log_sigmoid_forward": "nn.functional.logsigmoid",
    "aten::log_sigmoid": "nn.functional.logsigmoid",
    "aten::fmax": "fmax",
    "aten::fmin": "fmin",
    "aten::signbit": "signbit",
    "aten::copysign.Tensor": "copysign",
    "aten::copysign.Scalar": "copysign",
    "aten::rsub.Scalar": "rsub",
    "aten::hypot": "hypot",
    "prims::view_of": "squeeze.multiple",
    "aten::histc": "histc",
    "aten::_cdist_forward": "cdist",
    "aten::_euclidean_dist": "cdist",
    "aten::_pdist_forward": "nn.functional.pdist",
    "aten::take": "take",
    "aten::isin.Tensor_Tensor": "isin",
    "aten::linalg_cholesky": "linalg.cholesky",
    "aten::linalg_lu_factor": "linalg.lu_factor",
    "aten::linalg_inv": "linalg.inv",
    "aten::inverse": "linalg.inv",
    "aten::linalg_solve": "linalg.solve",
    "aten::linalg_lu_factor_ex": "linalg.lu_factor_ex",
    "aten::linalg_lu": "linalg.lu",
    "aten::lu_unpack": "lu_unpack",
    "aten::linalg_lu_solve": "linalg.lu_solve",
    "aten::_linalg_solve_ex": "linalg.solve",
    "aten::linalg_inv_ex": "linalg.inv",
    "aten::_linalg_slogdet": "linalg.slogdet",
    "aten::linalg_cholesky_ex": "linalg.cholesky_ex",
    "aten::cholesky": "cholesky",
    "aten::cholesky_solve": "cholesky_solve",
    "aten::cholesky_inverse": "cholesky_inverse",
    "aten::linalg_solve_triangular": "linalg.solve_triangular",
    "aten::triangular_solve": "triangular_solve",
    "aten::geqrf": "geqrf",
    "aten::linalg_householder_product": "linalg.householder_product",
    "aten::ormqr": "ormqr",
    "aten::linalg_qr": "linalg.qr",
    "aten::linalg_matrix_exp": "matrix_exp",
    "aten::batch_norm": "nn.functional.batch_norm",
    "aten::_native_batch_norm_legit.no_stats": "nn.functional.instance_norm",
    "aten::native_batch_norm": "native_batch_norm",
    "aten::_native_batch_norm_legit": "_native_batch_norm_legit",
    "aten::_native_batch_norm_legit_functional": "_native_batch_norm_legit",
    "aten::avg_pool2d": "nn.functional.avg_pool2d",
    "aten::avg_pool3d": "nn.functional.avg_pool3d",
    "aten::adaptive_avg_pool1d": "nn.functional.adaptive_avg_pool1d",
    "aten::adaptive_avg_pool2d": "nn.functional.adaptive_avg_pool2d",
    "aten::_adaptive_avg_pool2d": "nn.functional.adaptive_avg_pool2d",
    "aten::adaptive_avg_pool3d": "nn.functional.adaptive_avg_pool3d",
    "aten::_adaptive_avg_pool3d": "nn.functional.adaptive_avg_pool3d",
    "aten::adaptive_max_pool1d": "nn.functional.adaptive_max_pool1d",
    "aten::adaptive_max_pool2d": "nn.functional.adaptive_max_pool2d",
    "aten::adaptive_max_pool3d": "nn.functional.adaptive_max_pool3d",
    "aten::max_unpool2d": "nn.functional.max_unpool2d",
    "aten::max_unpool3d": "nn.functional.max_unpool3d",
    "aten::aminmax": "aminmax",
    "aten::trace": "trace",
    "aten::cumprod": "cumprod",
    "aten::logcumsumexp": "logcumsumexp",
    "aten::cummax": "cummax",
    "aten::cummin": "cummin",
    "aten::kthvalue": "kthvalue",
    "aten::median.dim": "median",
    "aten::median": "median",
    "aten::nanmedian.dim": "nanmedian",
    "aten::nanmedian": "nanmedian",
    "aten::mode": "mode",
    "aten::searchsorted.Tensor": "searchsorted",
    "aten::searchsorted.Scalar": "searchsorted",
    "aten::bucketize.Tensor": "bucketize",
    "aten::special_erfcx": "special.erfcx",
    "aten::special_log_ndtr": "special.log_ndtr",
    "aten::erfinv": "erfinv",
    "aten::lgamma": "lgamma",
    "aten::mvlgamma": "mvlgamma.mvlgamma_p_3",
    "aten::digamma": "digamma",
    "aten::i0": "i0",
    "aten::special_i0": "i0",
    "aten::special_modified_bessel_i0": "special.modified_bessel_i0",
    "aten::special_i0e": "special.i0e",
    "aten::special_i1": "special.i1",
    "aten::special_modified_bessel_i1": "special.modified_bessel_i1",
    "aten::special_i1e": "special.i1e",
    "aten::polygamma": "polygamma.polygamma_n_1",
    "aten::special_ndtri": "special.ndtri",
    "aten::_fft_c2c": "fft.fft",
    "aten::_fft_r2c": "fft.rfft",
    "aten::_fft_c2r": "fft.irfft",
    "aten::constant_pad_nd": "fft.fft2",
    "aten::_conj_physical": "fft.ihfft2",
    "aten::_conj": "fft.hfft",
    "aten::roll": "fft.fftshift",
    "aten::unsqueeze": "unsqueeze",
    "aten::expand": "expand",
    "aten::select.int": "select",
    "aten::split.Tensor": "split",
    "aten::index_reduce": "index_reduce.mean",
    "aten::put": "put",
    "aten::grid_sampler": "nn.functional.grid_sample",
    "aten::grid_sampler_3d": "grid_sampler_3d",
    "aten::frexp.Tensor": "frexp",
    "aten::masked_select": "masked_select",
    "aten::nonzero": "nonzero",
    "aten::bincount": "combinations",
    "aten::amax": "amax",
    "aten::amin": "amin",
    "prims::prod": "linalg.vander",
    "aten::sort.stable": "sort",
    "aten::unique_dim": "unique",
    "aten::unique_consecutive": "unique_consecutive",
    "aten::_histogramdd_bin_edges": "histogramdd",
    "aten::_histogramdd_from_bin_cts": "histogramdd",
    "aten::_histogramdd_from_bin_tensors": "histogramdd",
    "aten::_upsample_bicubic2d_aa": "_upsample_bilinear2d_aa",
    "aten::_upsample_bilinear2d_aa": "_upsample_bilinear2d_aa",
    "aten::all.dim": "all",
    "aten::all.dims": "all",
    "aten::alpha_dropout": "nn.functional.alpha_dropout",
    "aten::any.dim": "any",
    "aten::any.dims": "any",
    "aten::as_strided_scatter": "as_strided_scatter",
    "aten::conv_transpose1d": "nn.functional.conv_transpose1d",
    "aten::conv_transpose2d.input": "nn.functional.conv_transpose2d",
    "aten::conv_transpose3d.input": "nn.functional.conv_transpose3d",
    "aten::copy": "linalg.matrix_power",
    "aten::cross_entropy_loss": "nn.functional.cross_entropy",
    "aten::diagonal_scatter": "diagonal_scatter",
    "aten::dropout": "nn.functional.dropout",
    "aten::einsum": "einsum",
    "aten::feature_alpha_dropout": "nn.functional.feature_alpha_dropout.with_train",
    "aten::feature_dropout": "nn.functional.dropout2d",
    "aten::full": "full_like",
    "aten::full_like": "full_like",
    "aten::histogram.bin_ct": "histogram",
    "aten::histogram.bins_tensor": "histogram",
    "aten::igamma": "igamma",
    "aten::igammac": "igammac",
    "aten::index_add": "index_add",
    "aten::linalg_vector_norm": "linalg.vector_norm",
    "aten::linspace.Scalar_Tensor": "linspace.tensor_overload",
    "aten::linspace.Tensor_Scalar": "linspace.tensor_overload",
    "aten::linspace.Tensor_Tensor": "linspace.tensor_overload",
    "aten::new_full": "new_full",
    "aten::nonzero_static": "nonzero_static",
    "aten::pad": "nn.functional.pad.replicate_negative",
    "aten::prod.dim_int": "prod",
    "aten::repeat_interleave.Tensor": "repeat_interleave",
    "aten::resize": "resize_",
    "aten::scatter.reduce": "scatter",
    "aten::scatter.src": "scatter",
    "aten::scatter.value": "scatter",
    "aten::scatter.value_reduce": "scatter",
    "aten::scatter_add": "scatter_add",
    "aten::scatter_reduce.two": "scatter_reduce.mean",
    "aten::segment_reduce": "_segment_reduce.lengths",
    "aten::sigmoid": "sigmoid",
    "aten::silu": "nn.functional.silu",
    "aten::special_airy_ai": "special.airy_ai",
    "aten::special_bessel_j0": "special.bessel_j0",
    "aten::special_bessel_j1": "special.bessel_j1",
    "aten::special_bessel_y0": "special.bessel_y0",
    "aten::special_bessel_y1": "special.bessel_y1",
    "aten::special_chebyshev_polynomial_t": "special.chebyshev_polynomial_t",
    "aten::special_chebyshev_polynomial_u": "special.chebyshev_polynomial_u",
    "aten::special_chebyshev_polynomial_v": "special.chebyshev_polynomial_v",
    "aten::special_chebyshev_polynomial_w": "special.chebyshev_polynomial_w",
    "aten::special_hermite_polynomial_h": "special.hermite_polynomial_h",
    "aten::special_hermite_polynomial_he": "special.hermite_polynomial_he",
    "aten::special_laguerre_polynomial_l": "special.laguerre_polynomial_l",
    "aten::special_legendre_polynomial_p": "special.legendre_polynomial_p",
    "aten::special_modified_bessel_k0": "special.modified_bessel_k0",
    "aten::special_modified_bessel_k1": "special.modified_bessel_k1",
    "aten::special_scaled_modified_bessel_k0": "special.scaled_modified_bessel_k0",
    "aten::special_scaled_modified_bessel_k1": "special.scaled_modified_bessel_k1",
    "aten::special_shifted_chebyshev_polynomial_t": "special.shifted_chebyshev_polynomial_t",
    "aten::special_shifted_chebyshev_polynomial_u": "special.shifted_chebyshev_polynomial_u",
    "aten::special_shifted_chebyshev_polynomial_v": "special.shifted_chebyshev_polynomial_v",
    "aten::special_shifted_chebyshev_polynomial_w": "special.shifted_chebyshev_polynomial_w",
    "aten::special_spherical_bessel_j0": "special.spherical_bessel_j0",
    "aten::special_zeta": "special.zeta",
    "aten::squeeze.dim": "squeeze",
    "aten::sym_numel": "meshgrid.list_of_tensors",
    "aten::topk": "topk",
    "prims::as_strided_scatter": "as_strided_scatter",
    "prims::bessel_j0": "special.bessel_j0",
    "prims::bessel_j1": "special.bessel_j1",
    "prims::spherical_bessel_j0": "special.spherical_bessel_j0",
}
# a case on which upstream's own lowering is wrong; where it becomes right, the entry of the table can go
WRONG_UPSTREAM: Mapping[str, str] = {
    "aten::scaled_dot_product_attention": "attention with a row that is fully masked",
    "aten::log1p": "nn.functional.soft_margin_loss float32 #0",
    "aten::expm1": "expm1 near zero",
    "aten::log_sigmoid": "nn.functional.logsigmoid float32 #0",
    "aten::batch_norm": "nn.functional.batch_norm float32 #0",
    "aten::native_batch_norm": "native_batch_norm float32 #0",
    "aten::_native_batch_norm_legit": "_native_batch_norm_legit float32 #0",
    "aten::_native_batch_norm_legit_functional": "_native_batch_norm_legit float32 #0",
    "aten::avg_pool2d": "avg_pool2d with divisor_override",
    "aten::avg_pool3d": "avg_pool3d with divisor_override",
    "aten::adaptive_avg_pool2d": "adaptive average of sizes that do not divide",
    "aten::adaptive_max_pool2d": "adaptive maximum",
    "aten::nonzero": "nonzero of a scalar",
    "aten::grid_sampler": "a grid that points far away",
    "aten::special_log_ndtr": "log_ndtr",
    "aten::_fft_c2c": "fft.fft float32 #0",
    "aten::_fft_r2c": "fft.rfftn float32 #0",
    "aten::_upsample_bilinear2d_aa": "_upsample_bilinear2d_aa float32 #3",
    "aten::all.dim": "all float32 #2",
    "aten::any.dim": "any float32 #2",
    "aten::conv_transpose2d.input": "nn.functional.conv_transpose2d float32 #2",
    "aten::conv_transpose3d.input": "nn.functional.conv_transpose3d float32 #2",
    "aten::copy": "linalg.matrix_power float32 #12",
    "aten::cross_entropy_loss": "nn.functional.cross_entropy float32 #5",
    "aten::einsum": "einsum float32 #10",
    "aten::full_like": "full_like float32 #4",
    "aten::linalg_vector_norm": "linalg.vector_norm float32 #16",
    "aten::linspace.Tensor_Tensor": "linspace.tensor_overload float32 #66",
    "aten::new_full": "new_full float32 #4",
    "aten::prod.dim_int": "prod float32 #7",
    "aten::scatter.src": "scatter float32 #21",
    "aten::scatter_add": "scatter_add float32 #6",
    "aten::scatter_reduce.two": "scatter_reduce.mean float32 #4",
    "aten::sigmoid": "sigmoid float32 #2",
    "aten::silu": "nn.functional.silu float32 #2",
    "aten::squeeze.dim": "squeeze float32 #5",
    "aten::topk": "topk float32 #7",
}


def _table() -> Mapping[str, Any]:
    table = registry.load_table()
    return {operator.name(): one for operator, one in {**table.decompositions, **table.translations}.items()}


def _case(name: str) -> Case:
    return traps.case(name) if name in traps.TRAPS else operators.case(name)


def test_every_entry_of_the_table_has_a_case() -> None:
    assert set(ENTRIES) == set(_table())


def test_every_entry_that_replaces_what_is_wrong_upstream_says_on_which_case() -> None:
    assert set(WRONG_UPSTREAM) == {name for name, one in _table().items() if one.wrong_upstream}


def test_an_operator_with_two_lowerings_is_an_error() -> None:
    registry.load_table()
    with pytest.raises(registry.DuplicateLoweringError, match=r"aten\.cumprod\.default has two lowerings"):
        registry.decomposes(torch.ops.aten.cumprod.default)(torch.cumsum)


@pytest.mark.filterwarnings("ignore")  # some operators warn, which would count as their refusal
@pytest.mark.slow
@pytest.mark.parametrize("entry", sorted(set(ENTRIES.values())))
def test_samples_of_an_entry_are_right_or_refused(entry: str) -> None:
    outcomes = [judge(case, "assay.pytorch") for case in _samples(entry)]
    bad = [outcome for outcome in outcomes if outcome.verdict not in ("right", "refused")]
    assert bad == []
    assert any(outcome.verdict == "right" for outcome in outcomes), outcomes


def _samples(entry: str) -> Iterator[Case]:
    for name in operators.samples_of(entry, "float32", SAMPLES):
        with suppress(Unjudgeable):
            yield operators.case(name)


@pytest.mark.slow
@pytest.mark.parametrize("operator", sorted(WRONG_UPSTREAM))
def test_upstream_is_still_wrong(operator: str) -> None:
    outcome = judge(_case(WRONG_UPSTREAM[operator]), "torch.onnx")
    assert outcome.verdict != "right", f"{operator} can be retired"
    assert judge(_case(WRONG_UPSTREAM[operator]), "assay.pytorch").verdict == "right"
