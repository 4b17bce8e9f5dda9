// Small comforts; every page is whole without them.
"use strict";

// A form that cannot be taken back asks first.
document.addEventListener("submit", (event) => {
  const ask = event.target.dataset.ask;
  if (ask && !window.confirm(ask)) event.preventDefault();
});

// What is wrong with a form is read first.
document.querySelector(".problems")?.focus();

// A live part is fetched again from this address, until a page comes without it.
for (const part of document.querySelectorAll("[data-refresh][id]")) {
  const again = async (id, seconds) => {
    await new Promise((done) => setTimeout(done, 1000 * seconds));
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (answer === null) return again(id, 2 * seconds);
    if (!answer.ok || answer.redirected) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(id), old = document.getElementById(id);
    if (!fresh || !fresh.dataset.refresh) return location.reload();
    if (fresh.innerHTML !== old.innerHTML) old.innerHTML = fresh.innerHTML;
    return again(id, Number(fresh.dataset.refresh));
  };
  again(part.id, Number(part.dataset.refresh));
}
