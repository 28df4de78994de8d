r"""Three synthetic hospitals: what a change of machine costs, and what wins it back.

Trains at alpha (digital), tests there, at beryl (digital, other look) and at cobalt (scanned film).
Prepared and pretrained as configs/demo/barlowtwins_resnet50w_1xb64-amp-coslr-10e_hospital-patch-96px.py
says. Expect the table of configs/README.md.

    python tools/run_domain_study.py configs/studies/phantom-hospitals.py
"""  # noqa: E501

_demo = "configs/demo/"
_net = "resnet50w-transformer"

domains = dict(
    alpha=dict(data_root="dataset/hospital_alpha"),
    beryl=dict(data_root="dataset/hospital_beryl"),
    cobalt=dict(data_root="dataset/hospital_cobalt"),
)
targets = ["alpha", "beryl", "cobalt"]
statistics = dict(
    running=None,
    batch=dict(statistics="batch"),
    target=dict(statistics="target", images="adapt"),
    mixed=dict(statistics="mixed", prior_count=16),
    entropy=dict(statistics="entropy"),
)
_three = ["running", "batch", "target"]
models = dict(
    source_only=dict(
        config=f"{_demo}{_net}_barlowtwins-pre_1xb16-amp-coslr-12e_hospital-image-384x224px.py",
        sources=["alpha"],
    ),
    bnfc=dict(
        config=f"{_demo}{_net}_barlowtwins-pre_1xb16-amp-bnfc-coslr-12e_hospital-image-384x224px.py",
        sources=["alpha"],
        statistics=_three,
    ),
    da=dict(
        config=f"{_demo}dann_{_net}_barlowtwins-pre_1xb32-amp-coslr-12e_two-hospitals-image-384x224px.py",
        sources=["alpha"],
        adapt_to="cobalt",
        statistics=_three,
    ),
    da_bnfc=dict(
        config=f"{_demo}dann_{_net}_hospital-pre_1xb32-amp-bnfc-coslr-6e_two-hospitals-image-384x224px.py",
        sources=["alpha"],
        adapt_to="cobalt",
        start=dict(model="source_only", allow=["domain_head.*"]),
        statistics=_three,
    ),
)
