"""Jobs of the tiny run that a change to it plans, by rule."""

GENERALISED = {"generalisation": 1, "differences": 1, "fig5": 1}
LEARNED = {"learning": 1, "fig_learning": 1}
AFTER_COUNTS = {"counts": 1, "table1": 1, "fig1c": 1} | LEARNED
AFTER_NETWORKS = {"performance": 1, "failures": 1, "curves": 1, "fig2": 1, "fig_dni": 1} | AFTER_COUNTS
PERTURBED_FIGURES = {"fig3": 1, "fig_curves": 7, "fig_matched": 1, "fig_areas": 1}
AFTER_SWEEPS = {"robustness": 1, "areas": 1} | PERTURBED_FIGURES
SWEEPS = {"perturbation": 4, "lesioned": 1} | AFTER_SWEEPS
OF_ONE_KIND = SWEEPS | {"perturbation": 2}
SCORES = {"scores": 1, "continual": 1, "forgetting": 1}
SHARED = {"sequence": 3, "joint": 1} | SCORES
NOT_SHARED = dict.fromkeys(SHARED, 0)
ALL_NETWORKS = {"head": 11, "separate": 3, "evaluation": 20, "learned": 6, "example": 2}
ALL_NETWORKS |= SHARED | AFTER_NETWORKS | SWEEPS | GENERALISED
ONLY_SEPARATE = {"separate": 3, "evaluation": 3, "learned": 1, "perturbation": 2} | AFTER_NETWORKS | AFTER_SWEEPS


JUDGED = {"performance", "robustness", "areas", "generalisation", "forgetting", "components", "table1"}
ON_PAGE = {"fig1c", "fig2", "fig_dni", "fig3", "fig5", "fig_learning", "fig_scaling", "fig_areas", "fig_matched"}


def reported(expected):
    """With the verdicts and the pages of the report.

    Of tables and settings where one is made again, of provenance where anything is, of claims where a table that they
    are judged by is, or a figure that their page shows.
    """
    paged = {
        "configuration",
        *AFTER_SWEEPS,
        *SCORES,
        *AFTER_COUNTS,
        *GENERALISED,
        "performance",
        "components",
        "scaling",
    }
    paged -= {name for name in paged if name.startswith("fig")}
    expected = {rule: count for rule, count in expected.items() if count}
    pages = ["provenance"] * bool(expected) + ["pages"] * bool(paged & set(expected))
    pages += ["claims_table"] * bool(JUDGED & set(expected))
    pages += ["claims_page"] * bool((JUDGED | ON_PAGE) & set(expected))
    return expected | dict.fromkeys(pages, 1)
