"""One small model of every module of timm, with a dynamic batch; images as small as the model allows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from pytorch_cases.case import Case
from pytorch_cases.model_case import ModelCase, named, unit_gain

# the smallest model of each module, the size of its images, and what makes it smaller still
_MODELS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "beit": ("beit_base_patch16_224", 224, {"depth": 2}),
    "byoanet": ("halonet_h1", 256, {}),
    "byobnet": ("test_byobnet", 96, {}),
    "cait": ("cait_xxs24_224", 224, {"depth": 2}),
    "coat": ("coat_tiny", 224, {}),
    "convit": ("convit_tiny", 224, {}),
    "convmixer": ("convmixer_768_32", 56, {}),
    "convnext": ("convnext_atto", 96, {}),
    "cpubone": ("cpubone_nano", 96, {}),
    "crossvit": ("crossvit_tiny_240", 240, {}),
    "csatv2": ("csatv2", 512, {}),
    "cspnet": ("cs3darknet_focus_s", 96, {}),
    "cspnext": ("cspnext_tiny", 96, {}),
    "davit": ("davit_tiny", 96, {}),
    "deepseek_vit": ("deepseek_vit_412m", 126, {"depth": 1}),
    "deit": ("deit_tiny_patch16_224", 224, {"depth": 2}),
    "densenet": ("densenet121", 64, {}),
    "dla": ("dla46x_c", 96, {}),
    "dpn": ("dpn48b", 96, {}),
    "edgenext": ("edgenext_xx_small", 96, {}),
    "efficientformer": ("efficientformer_l1", 224, {}),
    "efficientformer_v2": ("efficientformerv2_s0", 224, {}),
    "efficientnet": ("mnasnet_small", 96, {}),
    "efficientvim": ("efficientvim_m1", 224, {}),
    "efficientvit_mit": ("efficientvit_b0", 96, {}),
    "efficientvit_msra": ("efficientvit_m0", 224, {}),
    "eva": ("eva02_tiny_patch14_224", 224, {"depth": 2}),
    "fasternet": ("fasternet_t0", 96, {}),
    "fastvit": ("fastvit_s12", 128, {}),
    "focalnet": ("focalnet_tiny_srf", 96, {}),
    "gcvit": ("gcvit_xxtiny", 224, {}),
    "gemma4_vit": ("gemma4_vit_167m", 96, {"depth": 1}),
    "ghostnet": ("ghostnet_050", 96, {}),
    "hardcorenas": ("hardcorenas_a", 96, {}),
    "hgnet": ("hgnetv2_b0", 96, {}),
    "hiera": ("hiera_tiny_224", 224, {}),
    "hieradet_sam2": ("sam2_hiera_tiny", 256, {}),
    "hrnet": ("hrnet_w18_small", 64, {}),
    "iformer": ("iformer_s", 224, {}),
    "inception_next": ("inception_next_atto", 96, {}),
    "inception_resnet_v2": ("inception_resnet_v2", 96, {}),
    "inception_v3": ("inception_v3", 96, {}),
    "inception_v4": ("inception_v4", 96, {}),
    "lcnetv2": ("lcnetv2_small", 96, {}),
    "levit": ("levit_128s", 224, {}),
    "lowformer": ("lowformer_b0", 96, {}),
    "mambaout": ("test_mambaout", 96, {}),
    "maxxvit": ("coatnet_pico_rw_224", 224, {}),
    "metaformer": ("poolformerv2_s12", 96, {}),
    "mlp_mixer": ("gmlp_ti16_224", 224, {"num_blocks": 2}),
    "mobilenetv3": ("mobilenetv3_small_050", 96, {}),
    "mobilenetv5": ("mobilenetv5_base", 256, {}),
    "mobilevit": ("mobilevit_xxs", 96, {}),
    "mvitv2": ("mvitv2_tiny", 224, {}),
    "naflexvit": ("naflexvit_base_patch16_gap", 384, {"depth": 2}),
    "nasnet": ("nasnetalarge", 96, {}),
    "nest": ("nest_tiny", 224, {}),
    "nextvit": ("nextvit_small", 96, {}),
    "nfnet": ("test_nfnet", 96, {}),
    "pit": ("pit_ti_224", 224, {}),
    "pnasnet": ("pnasnet5large", 96, {}),
    "pvt_v2": ("pvt_v2_b0", 96, {}),
    "qwen3_vit": ("qwen3_vit_88m", 96, {"depth": 2}),
    "rdnet": ("rdnet_tiny", 96, {}),
    "regnet": ("regnetx_002", 96, {}),
    "repghost": ("repghostnet_050", 96, {}),
    "repvit": ("repvit_m1", 96, {}),
    "res2net": ("res2net50_14w_8s", 64, {}),
    "resnest": ("resnest14d", 64, {}),
    "resnet": ("test_resnet", 96, {}),
    "resnetv2": ("resnetv2_18", 64, {}),
    "rexnet": ("rexnet_100", 96, {}),
    "selecsls": ("selecsls42", 96, {}),
    "senet": ("legacy_seresnet18", 64, {}),
    "sequencer": ("sequencer2d_s", 224, {"layers": [1, 1, 1, 1]}),
    "shvit": ("shvit_s1", 224, {}),
    "sknet": ("skresnet18", 64, {}),
    "starnet": ("starnet_s050", 96, {}),
    "swiftformer": ("swiftformer_xs", 224, {}),
    "swin_transformer": ("swin_tiny_patch4_window7_224", 224, {"depths": [2, 2, 2, 2]}),
    "swin_transformer_v2": ("swinv2_tiny_window8_256", 256, {"depths": [2, 2, 2, 2]}),
    "swin_transformer_v2_cr": ("swinv2_cr_tiny_224", 224, {"depths": [2, 2, 2, 2]}),
    "tiny_vit": ("tiny_vit_5m_224", 224, {}),
    "tnt": ("tnt_s_patch16_224", 224, {"depth": 2}),
    "tresnet": ("tresnet_m", 64, {}),
    "twins": ("twins_svt_small", 224, {}),
    "vgg": ("vgg11", 64, {}),
    "visformer": ("visformer_tiny", 224, {}),
    "vision_transformer": ("test_vit", 160, {}),
    "vision_transformer_hybrid": ("vit_tiny_r_s16_p8_224", 224, {"depth": 2}),
    "vision_transformer_relpos": ("test_vit_relpos", 160, {}),
    "vision_transformer_sam": ("samvit_base_patch16_224", 224, {"depth": 3}),
    "vitamin": ("vitamin_small_224", 224, {}),
    "volo": ("volo_d1_224", 224, {}),
    "vovnet": ("ese_vovnet19b_slim_dw", 96, {}),
    "xception": ("legacy_xception", 96, {}),
    "xception_aligned": ("xception41p", 96, {}),
    "xcit": ("xcit_nano_12_p8_224", 224, {"depth": 2}),
}


def _cases() -> Iterator[ModelCase]:
    """One case a module of timm."""
    for module, (name, size, options) in _MODELS.items():
        inputs = {"x": f"float32[batch,3,{size},{size}]"}
        yield ModelCase(f"{module}: {name}", partial(_build, name, options), partial(dict, inputs))


def _build(name: str, options: dict[str, Any]) -> torch.nn.Module:
    import timm

    torch.manual_seed(0)
    return unit_gain(timm.create_model(name, **options))


def names(_samples: int | None) -> list[str]:
    """The names of the cases."""
    return [case.name for case in _cases()]


def case(name: str) -> Case:
    """The case of this name."""
    return named(list(_cases()), name)
