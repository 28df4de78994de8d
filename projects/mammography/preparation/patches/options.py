"""How patches are cut."""

import re
from dataclasses import dataclass

from mammography.functional.patch_sampling import Border, SamplingRules

_SET = re.compile(r"S([1-9]\d{0,3})?")


@dataclass(frozen=True)
class PatchOptions:
    """How patches are cut; plain values, so that they can be stored and compared.

    Attributes:
        patch_set: ``S``: of each lesion the patch on its centre, and one of background; ``S10``:
            ten that overlap with it, and ten of background. Any other number will do.
        patch_hw: Rows and columns of a patch.
        seed: Seed of the places.
        least_breast: Share of a patch of background that shows the breast.
        border: ``shift`` moves patches that reach beyond the image inside; ``zeros`` fills up.
        malignant_from: Binary task whose label of the image tells whether its findings are
            malignant, where they do not tell themselves.
        remove_watermarks: Find the breast and set all else to 0, in image and lesions alike.

    Raises:
        ValueError: If a value is out of range.

    Example:
        >>> PatchOptions("S10").rules().per_region, PatchOptions("S").rules().centred
        (10, True)
    """

    patch_set: str = "S10"
    patch_hw: tuple[int, int] = (224, 224)
    seed: int = 0
    least_breast: float = 0.25
    border: Border = "shift"
    malignant_from: str | None = None
    remove_watermarks: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        if not _SET.fullmatch(self.patch_set):
            raise ValueError(f"--set must be S or S with a number, got {self.patch_set!r}")
        if self.seed < 0:
            raise ValueError(f"--seed must be at least 0, got {self.seed}")
        self.rules()

    def rules(self) -> SamplingRules:
        """Return where the patches may lie."""
        number = int(self.patch_set[1:] or 1)
        return SamplingRules(
            patch_hw=self.patch_hw,
            per_region=number,
            per_image=number,
            centred=self.patch_set == "S",
            least_breast=self.least_breast,
            border=self.border,
        )
