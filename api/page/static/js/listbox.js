// A field above a list of choices, as ARIA's combobox has it: the arrows move the choice and leave the focus in the
// field, Enter takes it. Nothing is taken before.

export class Listbox {
  #input; #list; #take; #mark;
  #items = []; #at = 0;

  // take is called with the item that was taken, mark with the one that is chosen now, or undefined.
  constructor(input, list, { take, mark = () => {} }) {
    [this.#input, this.#list, this.#take, this.#mark] = [input, list, take, mark];
    input.addEventListener("keydown", (event) => this.#pressed(event));
  }

  // show lists items, each with a name and perhaps the key that does the same.
  show(items) {
    this.#items = items;
    this.#list.replaceChildren(...items.map(({ name, key }, i) => {
      const option = document.createElement("li"), words = document.createElement("span");
      option.id = `${this.#list.id}-${i}`;
      option.setAttribute("role", "option");
      words.textContent = name;
      option.append(words);
      if (key) {
        const hint = document.createElement("kbd");
        hint.textContent = key;
        hint.setAttribute("aria-hidden", "true");
        option.append(hint);
      }
      option.addEventListener("click", () => this.#take(items[i]));
      return option;
    }));
    this.#choose(0);
  }

  #choose(at) {
    this.#at = at;
    for (const [i, option] of [...this.#list.children].entries()) option.setAttribute("aria-selected", i === at);
    const option = this.#list.children[at];
    if (option) this.#input.setAttribute("aria-activedescendant", option.id);
    else this.#input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
    this.#mark(this.#items[at]);
  }

  #pressed(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], many = this.#items.length;
    if (step && many) {
      event.preventDefault();
      this.#choose((this.#at + step + many) % many);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.#items[this.#at]) this.#take(this.#items[this.#at]);
    }
  }
}

// matching are the items whose names hold every word that was typed.
export function matching(items, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
}
