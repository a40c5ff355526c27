"""The dtypes for which ONNX Runtime's CPU provider has kernels, where these are fewer than the standard allows.

A line is an operator, the opset from which it holds, and for each type variable its dtypes as NumPy codes them (`bf` is
bfloat16, `s` string). Read from onnxruntime 1.32 (``get_all_opkernel_def``).
"""

from __future__ import annotations

from functools import cache

import onnx_ir as ir

_TABLE = """
Abs 13 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
Acos 7 T=f4
Acosh 9 T=f4
Add 14 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
AffineGrid 20 T1=f4,f8
ArgMax 13 T=f4,f8,i1,i4,i8,u1
ArgMin 13 T=f4,f8,i1,i4,i8,u1
Asin 7 T=f4
Asinh 9 T=f4
Atan 7 T=f4
Atanh 9 T=f4
Attention 23 T1=f2,f4 T2=f2,f4 U=f2,f4,b1
AveragePool 11 T=f4
BatchNormalization 15 T=f4,f8 T1=f4,f8 T2=f4,f8
BlackmanWindow 17 T2=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
Ceil 13 T=f4,f8
Clip 13 T=f2,f4,f8,i1,i4,i8,u1,u4,u8
Col2Im 18 T=f4
Conv 11 T=f4
ConvTranspose 11 T=f4
Cos 7 T=f4,f8
Cosh 9 T=f4
CumSum 14 T=f4,f8,i4,i8
DFT 17 T1=f4,f8
DeformConv 19 T=f4,f8
DepthToSpace 13 T=f4,f8,i1,u1
DequantizeLinear 13
DequantizeLinear 19 T2=f2,f4
DequantizeLinear 23 T2=f2,f4 T3=f2,f4
Det 11 T=f4
Div 14 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
Dropout 13 T=f4,f8 T1=f4,f8
Einsum 12 T=f4,f8,i4,i8
Elu 6 T=f4
Equal 13 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8,b1
Equal 19 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8,b1,s
Erf 13 T=f4
Exp 13 T=f4,f8
Expand 13 T=f2,f4,f8,i1,i2,i4,i8,u1,u2,u4,u8,b1,s
EyeLike 9 T1=f4,f8,i4,i8,u8 T2=f4,f8,i4,i8,u8
Floor 13 T=f4,f8
GRU 14 T=f4,f8
Gelu 20 T=f4
Gemm 13 T=f4,f8
GlobalAveragePool 1 T=f4
GlobalLpPool 2 T=f4
GlobalMaxPool 1 T=f4
Greater 13 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
GreaterOrEqual 16 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
GridSample 16 T1=f4 T2=f4
GridSample 20 T1=f4,f8 T2=f4,f8
HammingWindow 17 T2=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
HannWindow 17 T2=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
HardSigmoid 6 T=f4
Hardmax 13 T=f4
InstanceNormalization 6 T=f4
IsNaN 13 T1=f2,f4,f8
IsNaN 20
LRN 13 T=f4
LSTM 14 T=f4,f8
LayerNormalization 17 U=f4
LeakyRelu 16 T=f4
Less 13 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
LessOrEqual 16 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
Log 13 T=f4,f8
LogSoftmax 13 T=f4,f8
LpNormalization 1 T=f4,f8
LpPool 11 T=f4
MatMul 13 T=f4,f8,i4,i8,u4,u8
Max 13 T=f2,f4,f8,i1,i4,i8,u1,u4,u8
MaxPool 12 T=f4,f8,i1,u1
MaxRoiPool 1 T=f4
MaxUnpool 11 T1=f4
Mean 13 T=f4
MeanVarianceNormalization 13 T=f4
MelWeightMatrix 17 T2=f4 T3=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
Min 13 T=f2,f4,f8,i1,i4,i8,u1,u4,u8
Mod 13 T=f2,f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
Mul 14 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
Multinomial 7 T1=f4
Neg 13 T=f4,f8,i1,i2,i4,i8
NonZero 13 T=f4,i4,i8,u1,b1
OneHot 11 T1=f4,i4,i8 T2=f4,i4,i8 T3=f4,i4,i8,s
PRelu 16 T=f4
Pad 13 T=f4,f8,i1,i4,i8,u1,u4,u8,b1
Pad 21 T=bf,f4,f8,i1,i4,i8,u1,u4,u8,b1
Pow 15 T=f4,f8,i4,i8 T1=f4,f8,i4,i8
QLinearMatMul 10
QLinearMatMul 21 TS=f4
QuantizeLinear 13 T1=f4
QuantizeLinear 19 T1=f2,f4
QuantizeLinear 23 T1=f2,f4 T2=f2,f4
RMSNormalization 23 T=f2,f4,f8 V=f2,f4,f8
RNN 14 T=f4
RandomNormal 1 T=f4,f8
RandomNormalLike 1 T2=f4,f8
RandomUniform 1 T=f4,f8
RandomUniformLike 1 T2=f4,f8
Reciprocal 13 T=f4,f8
ReduceL1 13 T=f4,f8,i4,i8
ReduceL2 13 T=f4,f8,i4,i8
ReduceLogSum 13 T=f4,f8,i4,i8
ReduceLogSumExp 13 T=f4,f8,i4,i8
ReduceMax 13 T=f4,f8,i1,i4,i8,u1
ReduceMax 20 T=f4,f8,i1,i4,i8,u1,b1
ReduceMean 13 T=f4,f8,i4,i8
ReduceMin 13 T=f4,f8,i1,i4,i8,u1
ReduceMin 20 T=f4,f8,i1,i4,i8,u1,b1
ReduceProd 13 T=f4,f8,i4,i8
ReduceSum 13 T=f4,f8,i4,i8
ReduceSumSquare 13 T=f4,f8,i4,i8
Relu 14 T=f4,f8,i1,i4
Resize 13 T1=f4,i1,i4,u1
RoiAlign 16 T1=f4,f8
RotaryEmbedding 23 T=f2,f4
Round 11
Round 22 T=f2,f4,f8
STFT 17 T1=f4,f8
Selu 6 T=f4
Sigmoid 13 T=f4,f8
Sin 7 T=f4,f8
Sinh 9 T=f4
Size 13 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8,b1,s
Softmax 13 T=f4,f8
Softplus 1 T=f4
Softsign 1 T=f4
SpaceToDepth 13 T=f4,f8,i1,u1
SplitToSequence 11 T=f2,f4,f8,i4,i8,b1,s
Sqrt 13 T=f4,f8
Sub 14 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8
Sum 13 T=f4,f8
Tan 7 T=f4
Tanh 13 T=f4,f8
TensorScatter 24 T=f2,bf,f4,f8,i1,i2,i4,i8,u1,u2,u4,u8,b1
ThresholdedRelu 10 T=f4
Tile 13 T=f4,f8,i1,i2,i4,i8,u1,u2,u4,u8,b1,s
TopK 11 T=f4,f8,i1,i2,i4,i8,u1
Trilu 14 T=f4,f8,i4,i8,b1
Unique 11 T=f4,f8,i1,i8,s
Where 16 T=f4,f8,i1,i4,i8,u1,u4,s
"""

_CODES = {
    "f2": ir.DataType.FLOAT16,
    "bf": ir.DataType.BFLOAT16,
    "f4": ir.DataType.FLOAT,
    "f8": ir.DataType.DOUBLE,
    "i1": ir.DataType.INT8,
    "i2": ir.DataType.INT16,
    "i4": ir.DataType.INT32,
    "i8": ir.DataType.INT64,
    "u1": ir.DataType.UINT8,
    "u2": ir.DataType.UINT16,
    "u4": ir.DataType.UINT32,
    "u8": ir.DataType.UINT64,
    "b1": ir.DataType.BOOL,
    "s": ir.DataType.STRING,
}


@cache
def _kernels() -> dict[tuple[str, str], list[tuple[int, frozenset[ir.DataType]]]]:
    found: dict[tuple[str, str], list[tuple[int, frozenset[ir.DataType]]]] = {}
    for line in _TABLE.strip().splitlines():
        operator, since, *variables = line.split()
        for variable, _, codes in (text.partition("=") for text in variables):
            dtypes = frozenset(_CODES[code] for code in codes.split(","))
            found.setdefault((operator, variable), []).append((int(since), dtypes))
    return found


def kernel_dtypes(operator: str, variable: str, opset: int) -> frozenset[ir.DataType] | None:
    """The dtypes that a type variable of the operator may have; None where the standard alone limits them."""
    rows = [dtypes for since, dtypes in _kernels().get((operator, variable), []) if since <= opset]
    return rows[-1] if rows else None
