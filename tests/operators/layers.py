"""Calls of what layers compute: ``gc.nn.functional``, and those that PyTorch has in ``torch``."""

ACTIVATIONS = """
celu(F23, 0.7)
elu(F23, 0.7)
gelu(F23); gelu(F23, approximate="tanh")
glu(F24); glu(F43, dim=0)
gumbel_softmax(F23) # random
hardshrink(F23)
hardsigmoid(F23)
hardswish(F23)
hardtanh(F23, -0.5, 0.7)
leaky_relu(F23, 0.1)
log_softmax(F23, dim=1)
logsigmoid(F23)
mish(F23)
prelu(F23, U3); prelu(F23, U1)
relu(F23)
relu6(F23)
rrelu(F23); rrelu(F23, training=False)
selu(F23)
sigmoid(F23)
silu(F23)
softmax(F23, dim=-1)
softmin(F23, dim=1)
softplus(F23, beta=2.0)
softshrink(F23, 0.3)
softsign(F23)
tanh(F23)
tanhshrink(F23)
threshold(F23, 0.1, 0.5); threshold(F23, threshold=0.1, value=0.5)
"""

WINDOWS = """
adaptive_avg_pool1d(F126, 3)
adaptive_avg_pool2d(F1245, (2, 3))
adaptive_avg_pool3d(F11334, 2)
adaptive_max_pool1d(F126, 3); adaptive_max_pool1d(F126, 3, return_indices=True)
adaptive_max_pool1d_with_indices(F126, 3)
adaptive_max_pool2d(F1245, (2, 3))
adaptive_max_pool2d_with_indices(F1245, 2)
adaptive_max_pool3d(F11334, 2)
adaptive_max_pool3d_with_indices(F11334, 2)
affine_grid(F123, (1, 1, 3, 3), align_corners=False)
avg_pool1d(F126, 2); avg_pool1d(F126, 3, 1, 1, count_include_pad=False)
avg_pool2d(F1245, 2); avg_pool2d(F1245, (2, 3), 1)
avg_pool3d(F11334, 2)
conv1d(F126, F323); conv1d(F126, F323, F3, stride=2, padding=1)
conv2d(F1245, F3222, F3); conv2d(F1245, F4122, groups=2, padding="same")
conv3d(F11334, F21222)
conv_transpose1d(F124, F233, F3, stride=2)
conv_transpose2d(F1233, F2322, F3, 2, 1)
conv_transpose3d(F11222, F12222)
fold(F184, (3, 3), 2)
fractional_max_pool2d(F1255, 2, output_size=2) # random
fractional_max_pool2d_with_indices(F1255, 2, output_size=2) # random
fractional_max_pool3d(F11444, 2, output_size=2) # random
fractional_max_pool3d_with_indices(F11444, 2, output_size=2) # random
grid_sample(F1134, F1222, align_corners=False)
grid_sample(F1134, F1222, mode="nearest", align_corners=False)
interpolate(F1133, scale_factor=2); interpolate(F1133, (4, 5), mode="bilinear")
interpolate(F114, 7, mode="linear", align_corners=True)
interpolate(F1144, (5, 6), mode="bicubic")
lp_pool1d(P126, 2, 2)
lp_pool2d(P1144, 2, 2)
lp_pool3d(P11222, 2, 2)
max_pool1d(F126, 2); max_pool1d(F126, 3, 1, 1, 1, return_indices=True)
max_pool1d_with_indices(F126, 2)
max_pool2d(F1245, 2); max_pool2d(F1245, 2, 1, dilation=2)
max_pool2d_with_indices(F1244, 2)
max_pool3d(F11334, 2)
max_pool3d_with_indices(F11334, 2)
max_unpool1d(F112, tensor([[[1, 2]]]), 2)
max_unpool2d(F1122, tensor([[[[0, 3], [9, 10]]]]), 2)
max_unpool3d(F11111, tensor([[[[[3]]]]]), 2)
pad(F23, (1, 2)); pad(F134, (1, 1), mode="reflect"); pad(F134, (1, 1), mode="circular")
pad(F134, (2, 1), mode="replicate")
pixel_shuffle(F1422, 2)
pixel_unshuffle(F1144, 2)
unfold(F1144, 2)
upsample(F1133, scale_factor=2)
upsample_bilinear(F1133, scale_factor=2)
upsample_nearest(F1133, scale_factor=2)
channel_shuffle(F1422, 2)
"""

TOGETHER = """
alpha_dropout(F23, 0.5, training=True) # random
batch_norm(F43, None, None, training=True); batch_norm(F43, Q3, Q3, P3, F3)
bilinear(F23, F24, F534, F5)
dropout(F23, 0.5) # random
dropout1d(F234, 0.5) # random
dropout2d(F1222, 0.5) # random
dropout3d(F11222, 0.5) # random
embedding(K23, F43)
embedding(K23, F43, padding_idx=1) # kink
embedding_bag(K23, F43); embedding_bag(K4, F43, K2 * 0 + tensor([0, 2]), mode="sum")
feature_alpha_dropout(F1222, 0.5, training=True) # random
group_norm(F243, 2, F4, F4)
instance_norm(F234)
layer_norm(F23, (3,), F3, F3)
linear(F23, F43, F4); linear(F23, F43)
local_response_norm(F243, 3)
multi_head_attention_forward(F214, F314, F314, 4, 2, F{12}4, F{12}, None, None, False, 0.0, F44, F4)
normalize(F23); normalize(F23, 1, dim=0)
one_hot(K23, 3)
rms_norm(F23, (3,), F3)
scaled_dot_product_attention(F1234, F1234, F1234)
scaled_dot_product_attention(F1234, F1234, F1234, is_causal=True)
"""

LOSSES = """
binary_cross_entropy(U23, U23)
binary_cross_entropy_with_logits(F23, U23, pos_weight=P3)
cosine_embedding_loss(F23, F23, tensor([1, -1]))
cosine_similarity(F23, F23)
cross_entropy(F23, K2); cross_entropy(F23, softmax(F23, 1), label_smoothing=0.1)
cross_entropy(F23, K2, reduction="none", weight=Q3)
ctc_loss(log_softmax(F523, 2), tensor([[1, 2], [2, 1]]), (5, 5), (2, 1))
gaussian_nll_loss(F23, F23, P23)
hinge_embedding_loss(F23, 2 * K23 - 1)
huber_loss(F23, F23, delta=0.7)
kl_div(F23, P23); kl_div(F23, F23, reduction="batchmean", log_target=True)
l1_loss(F23, F23)
margin_ranking_loss(F3, F3, 2 * K3 - 1)
mse_loss(F23, F23); mse_loss(F23, F23, reduction="sum")
multi_margin_loss(F23, K2)
multilabel_margin_loss(F23, tensor([[1, -1, 0], [2, 0, -1]]))
multilabel_soft_margin_loss(F23, U23)
nll_loss(F23, K2)
pairwise_distance(F23, F23)
pdist(F33)
poisson_nll_loss(F23, P23)
smooth_l1_loss(F23, F23, beta=0.5)
soft_margin_loss(F23, 2 * K23 - 1)
triplet_margin_loss(F23, F23, F23)
triplet_margin_with_distance_loss(F23, F23, F23)
"""

PYTORCH_HAS_IN_TORCH = """
adaptive_avg_pool1d(F126, 3)
adaptive_max_pool1d(F126, 3)
alpha_dropout(F23, 0.5, True) # random
avg_pool1d(F126, 2)
batch_norm(F43, F3, F3, None, None, True, 0.1, 1e-5, False)
conv1d(F126, F323, F3)
conv2d(F1245, F3222)
conv3d(F11334, F21222)
conv_transpose1d(F124, F233)
conv_transpose2d(F1233, F2322)
conv_transpose3d(F11222, F12222)
cosine_similarity(F23, F23)
dropout(F23, 0.5, True) # random
embedding(F43, K23)
feature_alpha_dropout(F1222, 0.5, True) # random
feature_dropout(F1222, 0.5, True) # random
group_norm(F243, 2)
gru(F323, F124, [F{12}3, F{12}4], False, 1, 0.0, False, False, False) # loop
gru_cell(F23, F24, F{12}3, F{12}4)
instance_norm(F234, None, None, None, None, True, 0.1, 1e-5, False)
layer_norm(F23, (3,))
lstm(F323, (F124, F124), [F{16}3, F{16}4], False, 1, 0.0, False, False, False) # loop
lstm_cell(F23, (F24, F24), F{16}3, F{16}4)
max_pool1d(F126, 2)
max_pool1d_with_indices(F126, 2)
max_pool2d(F1245, 2)
max_pool3d(F11334, 2)
pairwise_distance(F23, F23)
rms_norm(F23, (3,))
rnn_relu(F323, F124, [F43, F44], False, 1, 0.0, False, False, False) # loop
rnn_relu_cell(F23, F24, F43, F44)
rnn_tanh(F323, F124, [F43, F44], False, 1, 0.0, False, False, False) # loop
rnn_tanh_cell(F23, F24, F43, F44, F4, F4)
"""
