"""What the tools call: load a config, build a runner, train, test.

>>> from mammography.apis.config import load_config
>>> from mammography.apis.runner import build_runner
"""
