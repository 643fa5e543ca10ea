package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed find.js
var finder string

// place is the position of an element in the window, or why it is not reachable.
type place struct {
	X, Y  float64
	Value string
	Tag   string
	Why   string
}

// Click clicks a link, button, switch or label by its name. Case and white space are ignored. A full match is preferred
// to a prefix, and a prefix to a substring.
func (p *Page) Click(name string) {
	p.t.Helper()
	p.clickAt(name, p.await("action", name))
}

// ClickOn clicks the first visible element that a CSS selector matches.
func (p *Page) ClickOn(selector string) {
	p.t.Helper()
	p.clickAt(selector, p.await("css", selector))
}

func (p *Page) clickAt(what string, at place) {
	p.t.Helper()
	p.do("click "+what, chromedp.Steps(chromedp.MouseEvent(chromedp.MouseMoved, at.X, at.Y), chromedp.MouseClickXY(at.X, at.Y)))
}

// ClickOnWhile is ClickOn with a slow release of the button: what runs while it is pressed.
func (p *Page) ClickOnWhile(selector string, what func()) {
	p.t.Helper()
	at := p.await("css", selector)
	p.do("press the button on "+selector, chromedp.Steps(chromedp.MouseEvent(chromedp.MouseMoved, at.X, at.Y), chromedp.MouseEvent(chromedp.MousePressed, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1))))
	what()
	p.do("release the button on "+selector, chromedp.MouseEvent(chromedp.MouseReleased, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// Fill types into the field with a label, replacing its content, once the field has the focus: scripts may move it.
func (p *Page) Fill(label, text string) {
	p.t.Helper()
	p.fill(label, p.await("field", label), text)
}

// FillIn is Fill with a CSS selector.
func (p *Page) FillIn(selector, text string) {
	p.t.Helper()
	p.fill(selector, p.await("css", selector), text)
}

func (p *Page) fill(what string, at place, text string) {
	p.t.Helper()
	if _, err := evaluate[bool](p, fmt.Sprintf("window.browsertestField = document.elementFromPoint(%f, %f), true", at.X, at.Y)); err != nil {
		p.fail("look for %s: %v", what, err)
	}
	p.clickAt(what, at)
	// A live update may replace the field by another at its place.
	p.Until(what+" has the focus", fmt.Sprintf("[window.browsertestField, document.elementFromPoint(%f, %f)].includes(document.activeElement)", at.X, at.Y))
	if at.Value != "" {
		p.Press("Control+a")
		p.Press("Delete")
	}
	p.Type(text)
}

// Choose selects an option of the list with a label by typing the option's text.
func (p *Page) Choose(label, option string) {
	p.t.Helper()
	at := p.await("field", label)
	if at.Tag != "SELECT" {
		p.fail("%s is no list of options but a %s", label, at.Tag)
	}
	if _, err := evaluate[bool](p, fmt.Sprintf("document.elementFromPoint(%f, %f).focus(), true", at.X, at.Y)); err != nil {
		p.fail("focus %s: %v", label, err)
	}
	p.Type(option)
	p.Until(label+" is "+option, `document.activeElement.selectedOptions?.[0]?.innerText.trim().toLowerCase().startsWith(`+quote(strings.ToLower(option))+`)`)
}

// Type presses the keys for a text one by one in the focused element, once the page has loaded. A line break is Enter.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.loaded()
	p.do(fmt.Sprintf("type %q", text), strike(text, 0))
}

// strike presses keys as a keyboard does: a handler that prevents the key press also prevents the character.
func strike(text string, held kb.Modifier) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, r := range text {
			events := kb.Encode(r)
			down, up := *events[0], *events[len(events)-1]
			down.Type = input.DispatchKeyEventTypeRawKeyDown
			if len(events) == 3 && held&(chromedp.ModifierCtrl|chromedp.ModifierAlt) == 0 {
				down.Type, down.Text, down.UnmodifiedText = input.DispatchKeyEventTypeKeyDown, events[1].Text, events[1].UnmodifiedText
			}
			for _, event := range []input.DispatchKeyEventParams{down, up} {
				event.Modifiers |= int64(held)
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// keys are the keys with names.
var keys = map[string]string{
	"Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab, "Space": " ", "Delete": kb.Delete, "Backspace": kb.Backspace,
	"ArrowDown": kb.ArrowDown, "ArrowUp": kb.ArrowUp, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End,
}

var modifiers = map[string]kb.Modifier{
	"Control": chromedp.ModifierCtrl, "Shift": chromedp.ModifierShift, "Alt": chromedp.ModifierAlt,
}

// Press presses a key or combination, such as "j", "?", "Enter" or "Control+Enter", in the focused element, once the
// page has loaded.
func (p *Page) Press(chord string) {
	p.t.Helper()
	p.loaded()
	var held kb.Modifier
	key := chord
	for {
		name, rest, more := strings.Cut(key, "+")
		modifier, known := modifiers[name]
		if !more || !known {
			break
		}
		held, key = held|modifier, rest
	}
	if named, ok := keys[key]; ok {
		key = named
	}
	p.do("press "+chord, strike(key, held))
}

// loaded waits until the page has loaded: before, its scripts do not hear keys.
func (p *Page) loaded() {
	p.t.Helper()
	p.Until("the page has loaded", `document.readyState === "complete"`)
}

// await waits for an element that a person could use, on a page that has loaded.
func (p *Page) await(how, wanted string) place {
	p.t.Helper()
	var last string
	var before place
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(lookAgain) {
		at, err := evaluate[place](p, fmt.Sprintf("(%s)(%s, %s)", finder, quote(how), quote(wanted)))
		if err == nil && at.Why == "" {
			if at == before { // it no longer moves: a click would not miss it
				return at
			}
			before = at
			continue
		}
		if last = at.Why; err != nil {
			last = err.Error()
		}
	}
	p.fail("%s", last)
	return place{}
}

// quote returns a text as a JavaScript literal.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // strings can be encoded
	}
	return string(quoted)
}
