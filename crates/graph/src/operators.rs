//! Which operators a graph may use.
//!
//! A list of what is allowed rather than of what is not: the standard grows by a few operators each year, and each new
//! one is a new way to loop or to ask for memory. Absent on purpose: those with subgraphs (`If`, `Loop`, `Scan`,
//! `SequenceMap`), sequences, optionals and texts, and everything random, since a model must answer the same twice.

/// The standard domain, `""` or `"ai.onnx"`.
const STANDARD: &str = "
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization BitShift BitwiseAnd
    BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvInteger
    ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal
    Erf Exp Expand Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater
    GreaterOrEqual GroupNormalization HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LSTM
    LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool
    Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul
    QuantizeLinear RMSNormalization RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax
    ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence Round ScatterElements
    ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt
    Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Where Xor";

/// The domain of classic machine learning, `"ai.onnx.ml"`.
const CLASSIC: &str = "
    ArrayFeatureExtractor Binarizer Imputer LinearClassifier LinearRegressor Normalizer Scaler SVMClassifier SVMRegressor
    TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor";

/// The name of the domain of classic machine learning.
pub(crate) const ML: &str = "ai.onnx.ml";

/// Operators whose input at these places says how large the output becomes. It may depend on the shapes of the graph's
/// inputs, never on their values: a request of eight bytes would otherwise ask for any amount of memory.
const SIZED_BY: &[(&str, &[usize])] = &[
    ("ConstantOfShape", &[0]),
    ("Expand", &[1]),
    ("OneHot", &[1]),
    ("Pad", &[1]),
    ("Range", &[0, 1, 2]),
    ("Resize", &[1, 2, 3]),
    ("Tile", &[1]),
];

/// Operators whose input at these places says where to look, or how to cut. Beyond the end of what there is, ONNX Runtime
/// answers with an error; tract ends the process.
const POINTED_BY: &[(&str, &[usize])] = &[
    ("CumSum", &[1]),
    ("Gather", &[1]),
    ("GatherElements", &[1]),
    ("GatherND", &[1]),
    ("OneHot", &[0]),
    ("Reshape", &[1]),
    ("ReverseSequence", &[1]),
    ("ScatterElements", &[1]),
    ("ScatterND", &[1]),
    ("Slice", &[1, 2, 3, 4]),
    ("Split", &[1]),
    ("Squeeze", &[1]),
    ("TopK", &[1]),
    ("Trilu", &[1]),
    ("Unsqueeze", &[1]),
];

/// Whether a domain is the standard one.
pub(crate) fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// Whether a graph may use an operator.
pub(crate) fn is_known(domain: &str, operator: &str) -> bool {
    let list = match domain {
        _ if is_standard(domain) => STANDARD,
        ML => CLASSIC,
        _ => return false,
    };
    list.split_ascii_whitespace().any(|name| name == operator)
}

/// Places of the inputs that say how large the output becomes.
pub(crate) fn sized_by(operator: &str) -> &'static [usize] {
    let found = SIZED_BY.iter().find(|(name, _)| *name == operator);
    found.map_or(&[], |(_, places)| places)
}

/// Places of the inputs that say where to look.
pub(crate) fn pointed_by(operator: &str) -> &'static [usize] {
    let found = POINTED_BY.iter().find(|(name, _)| *name == operator);
    found.map_or(&[], |(_, places)| places)
}

/// Whether the output depends on the shape of the input alone.
pub(crate) fn looks_at_shape_only(operator: &str) -> bool {
    matches!(operator, "Shape" | "Size")
}

/// Whether the second input divides the first.
pub(crate) fn divides(operator: &str) -> bool {
    matches!(operator, "Div" | "Mod")
}

/// Whether the output is whole numbers, whatever goes in.
pub(crate) fn gives_whole(operator: &str) -> bool {
    matches!(
        operator,
        "Shape" | "Size" | "ArgMax" | "ArgMin" | "NonZero" | "TopK" | "CastLike" | "QuantizeLinear"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_what_they_should() {
        assert!(is_known("", "LSTM") && is_known("ai.onnx", "Gemm"));
        assert!(is_known(ML, "TreeEnsembleRegressor"));
        for (domain, operator) in [
            ("", "Loop"),
            ("", "If"),
            ("", "Scan"),
            ("", "RandomNormal"),
            ("", "TreeEnsembleRegressor"),
            ("", ""),
            ("com.example", "LSTM"),
        ] {
            assert!(!is_known(domain, operator), "{domain} {operator}");
        }
    }

    #[test]
    fn what_sizes_an_output_is_itself_allowed() {
        let all = SIZED_BY.iter().chain(POINTED_BY);
        assert!(all.clone().count() > 20);
        assert!(all.into_iter().all(|(name, _)| is_known("", name)));
    }
}
