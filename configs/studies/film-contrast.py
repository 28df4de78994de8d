r"""Real films, and the same films under another characteristic curve: dense against fatty breasts.

The films are free for research and not part of this project; beside the repository they lie in
shared/data/ddsm_tissue. A half of them trains, the other half tests, with either contrast:

    python tests/film_contrast.py work_dirs/films
    for d in film shifted; do
        python tools/prepare_dataset.py table --root work_dirs/films/$d --out dataset/ddsm_$d \
            --tasks dense:binary --size 384x224 --flip-to L --voi none
    done
    python tools/run_domain_study.py configs/studies/film-contrast.py
"""

_config = (
    "configs/demo/resnet50w-transformer_barlowtwins-pre_1xb8-amp-coslr-40e_ddsm-image-384x224px.py"
)
task = "dense"
domains = dict(
    film=dict(data_root="dataset/ddsm_film"),
    shifted=dict(data_root="dataset/ddsm_shifted"),
)
targets = ["film", "shifted"]
statistics = dict(
    running=None,
    batch=dict(statistics="batch"),
    target=dict(statistics="target", images="adapt"),
    mixed=dict(statistics="mixed", prior_count=16),
    entropy=dict(statistics="entropy"),
)
models = dict(source_only=dict(config=_config, sources=["film"]))
seeds = [0, 1, 2]
