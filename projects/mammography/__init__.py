"""Deep learning on mammograms, as a plugin of OpenMMLab MMPreTrain.

Importing this package is cheap and registers nothing; a config registers every
component with ``custom_imports = dict(imports=["mammography.plugin"])``.
"""

__version__ = "0.1.0"
