"""Energies, machines and mixtures on the page: chains that follow the form, and what is drawn of a model's parts."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.test_parts import PATIENCE, asked, until

STAGE = "document.querySelector('#stage')"


def text(page: Page, part: str) -> str:
    return page.locator(f'#stage [data-part="{part}"]').inner_text()


def choose_step(page: Page, length: str) -> None:
    field = page.locator("input[id$=model-chain-step]")
    field.fill(length)
    field.press("Enter")


def test_the_chain_is_chosen_after_training_and_too_large_a_step_is_named(visit) -> None:
    visitor = visit("?preset=energy_moons")
    page = visitor.page
    page.wait_for_selector(".pg-stage[data-state=ready]", timeout=PATIENCE)
    until(page, f"{STAGE}.querySelector('[data-part=nfe]').textContent === '321'")
    assert "% accepted" in text(page, "nfe-note")
    assert "learnt" in page.locator("#stage .pg-keys").inner_text(), "the log-normaliser beside the one by quadrature"
    before = asked(visitor)
    page.locator("select[id$=model-chain]").select_option("langevin")
    until(page, f"{STAGE}.querySelector('[data-part=nfe]').textContent === '201'")
    assert asked(visitor) > before
    assert "accepted" not in text(page, "nfe-note")
    choose_step(page, "2.8")
    until(page, f"{STAGE}.querySelector('[data-part=message]').textContent.startsWith('Numerical instability')")
    choose_step(page, "0.05")
    until(page, f"{STAGE}.querySelector('[data-part=message]').textContent === ''")
    assert page.locator("#stage [data-tool=boltzmann]").get_attribute("aria-pressed") == "true"


def test_the_parts_of_a_model_are_explained_where_there_are_some(visit) -> None:
    page = visit("?preset=mixture_em").page
    page.wait_for_selector(".pg-stage[data-state=ready]", timeout=PATIENCE)
    keys = page.locator("#stage .pg-keys")
    until(page, f"{STAGE}.querySelector('.pg-keys').textContent.includes('components at 1 and 2')")
    assert page.locator("#stage [data-tool=boltzmann]").is_hidden()
    page.goto(page.url.replace("mixture_em", "rbm_ring"))
    until(page, f"{STAGE}?.querySelector('.pg-keys')?.textContent.includes('hidden units')")
    assert "components" not in keys.inner_text()
