r"""Barlow Twins on patches of one synthetic hospital: where the models of the demo study start.

The hospitals differ in contrast curve, noise and sharpness, and share no patient:

    for h in alpha:11 cobalt:12 beryl:13; do
        python tools/prepare_dataset.py phantom --root work_dirs/hospitals/${h%:*} \
            --out dataset/hospital_${h%:*} --size 384x224 --flip-to L \
            --splits train=0.5 val=0.1 test=0.4 --source-options vendors=${h%:*} seed=${h#*:} \
            patients=400 prevalence=0.5 lesion_contrast=1.5
    done

    python tools/train.py \
        configs/demo/barlowtwins_resnet50w_1xb64-amp-coslr-10e_hospital-patch-96px.py
"""

_base_ = ["barlowtwins_resnet50w_1xb64-amp-coslr-10e_phantom-study-patch-96px.py"]

train_dataloader = dict(dataset=dict(data_root="dataset/hospital_alpha"))
