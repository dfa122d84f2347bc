"""docs/privacy.md from gateway/domain/personal.py. `python tests/gateway/privacy_page.py` writes its tables anew."""

from pathlib import Path

from gateway.domain.personal import BASES, PERSONAL, TIMERS, Personal

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
HEADS = {
    "fr": ("donnée", "de qui", "pour quoi", "base", "durée", "effacée sur demande"),
    "en": ("field", "whose", "what for", "basis", "kept", "erased on request"),
}
WHOSE = {"recipient": "destinataire", "delegate": "personne envoyée", "staff": "agent, livreur"}
DAY_S = 86_400


def row(each: Personal, language: str) -> str:
    french = language == "fr"
    timer, names = TIMERS[each.timer], ", ".join(f"`{each.table}.{column}`" for column in each.columns)
    days = timer.kept_s // DAY_S
    term = timer.fr if french else timer.en
    if days:
        term = f"{days} {'j' if french else 'd'} {term}"
    erased = ("oui" if french else "yes") if each.erased else "–"
    whose = WHOSE[each.whose] if french else each.whose
    basis = BASES[each.basis][0 if french else 1]
    return f"| {names} | {whose} | {each.fr if french else each.en} | {basis} | {term} | {erased} |"


def table(language: str) -> str:
    heads = HEADS[language]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(row(each, language) for each in PERSONAL)])


def with_tables(page: str) -> str:
    """The page with what stands between its marks as the table says."""
    for language in HEADS:
        begin, end = f"<!-- {language} -->", f"<!-- /{language} -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}\n{table(language)}\n{end}{rest.split(end)[1]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
