// A combobox of ARIA: the arrow keys move the highlight and leave the focus in the field, Enter selects.

export class Listbox {
  #input; #list; #select; #highlight;
  #items = []; #at = 0;

  // select is called with the item that the user selects, highlight with the highlighted one or undefined.
  constructor(input, list, { select, highlight = () => {} }) {
    [this.#input, this.#list, this.#select, this.#highlight] = [input, list, select, highlight];
    input.addEventListener("keydown", (event) => this.#pressed(event));
  }

  // show lists items, each with a name and optionally its shortcut.
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
      option.addEventListener("click", () => this.#select(items[i]));
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
    this.#highlight(this.#items[at]);
  }

  #pressed(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], many = this.#items.length;
    if (step && many) {
      event.preventDefault();
      this.#choose((this.#at + step + many) % many);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.#items[this.#at]) this.#select(this.#items[this.#at]);
    }
  }
}

// matching returns the items whose names contain every word of the input.
export function matching(items, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
}
