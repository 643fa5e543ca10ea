package browsertest

import (
	"encoding/base64"
	"fmt"
)

// AttachIn chooses a file in the file input that a selector matches, as a person does.
func (p *Page) AttachIn(selector, name, media string, content []byte) {
	p.t.Helper()
	Value[bool](p, fmt.Sprintf(`(() => {
		const files = new DataTransfer(), input = document.querySelector(%q);
		files.items.add(%s);
		input.files = files.files;
		input.dispatchEvent(new Event("change", { bubbles: true }));
		return true;
	})()`, selector, file(name, media, content)))
}

// PasteFile pastes a file where the focus is, as a screenshot.
func (p *Page) PasteFile(name, media string, content []byte) {
	p.t.Helper()
	p.transfer("document.activeElement", "paste", "clipboardData", name, media, content)
}

// DropOn drops a file on the element that a selector matches.
func (p *Page) DropOn(selector, name, media string, content []byte) {
	p.t.Helper()
	p.transfer(fmt.Sprintf("document.querySelector(%q)", selector), "drop", "dataTransfer", name, media, content)
}

func (p *Page) transfer(on, event, field, name, media string, content []byte) {
	p.t.Helper()
	class := map[string]string{"paste": "ClipboardEvent", "drop": "DragEvent"}[event]
	Value[bool](p, fmt.Sprintf(`(() => {
		const files = new DataTransfer();
		files.items.add(%s);
		%s.dispatchEvent(new %s(%q, { bubbles: true, cancelable: true, %s: files }));
		return true;
	})()`, file(name, media, content), on, class, event, field))
}

// file returns the expression for a file.
func file(name, media string, content []byte) string {
	return fmt.Sprintf(`new File([Uint8Array.from(atob(%q), (c) => c.charCodeAt(0))], %q, { type: %q })`,
		base64.StdEncoding.EncodeToString(content), name, media)
}
