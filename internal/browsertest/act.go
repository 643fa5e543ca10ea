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

// place is where something is in the window, or why it can't be reached.
type place struct {
	X, Y  float64
	Value string
	Tag   string
	Why   string
}

// Click presses what is called so: a link, a button, a switch or its label. Case and spaces don't count. A name in
// full is preferred to the beginning of one, and that to a part.
func (p *Page) Click(name string) {
	p.t.Helper()
	p.clickAt(name, p.await("action", name))
}

// ClickOn presses the first visible element that a CSS selector matches.
func (p *Page) ClickOn(selector string) {
	p.t.Helper()
	p.clickAt(selector, p.await("css", selector))
}

func (p *Page) clickAt(what string, at place) {
	p.t.Helper()
	p.do("click "+what, chromedp.Steps(chromedp.MouseEvent(chromedp.MouseMoved, at.X, at.Y), chromedp.MouseClickXY(at.X, at.Y)))
}

// ClickOnWhile is ClickOn by somebody who is slow to release the button: what happens while it is down.
func (p *Page) ClickOnWhile(selector string, what func()) {
	p.t.Helper()
	at := p.await("css", selector)
	p.do("press the button on "+selector, chromedp.Steps(chromedp.MouseEvent(chromedp.MouseMoved, at.X, at.Y), chromedp.MouseEvent(chromedp.MousePressed, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1))))
	what()
	p.do("release the button on "+selector, chromedp.MouseEvent(chromedp.MouseReleased, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// Fill types into the field with a label, in place of what it holds.
func (p *Page) Fill(label, text string) {
	p.t.Helper()
	p.fill(label, p.await("field", label), text)
}

// FillIn is Fill for a CSS selector.
func (p *Page) FillIn(selector, text string) {
	p.t.Helper()
	p.fill(selector, p.await("css", selector), text)
}

func (p *Page) fill(what string, at place, text string) {
	p.t.Helper()
	p.clickAt(what, at)
	if at.Value != "" {
		p.Press("Control+a")
		p.Press("Delete")
	}
	p.Type(text)
}

// Choose picks an option of the list with a label, as the keyboard does: by typing the option's words.
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

// Type presses the keys of a text, one by one, wherever the focus is. A line's end is Enter.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.do(fmt.Sprintf("type %q", text), strike(text, 0))
}

// strike presses keys as a keyboard does: whoever takes the press of a key keeps its character from being typed.
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

// keys are those with a name instead of a character.
var keys = map[string]string{
	"Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab, "Space": " ", "Delete": kb.Delete, "Backspace": kb.Backspace,
	"ArrowDown": kb.ArrowDown, "ArrowUp": kb.ArrowUp, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End,
}

var modifiers = map[string]kb.Modifier{
	"Control": chromedp.ModifierCtrl, "Shift": chromedp.ModifierShift, "Alt": chromedp.ModifierAlt,
}

// Press presses one key, such as "j", "?", "Enter" or "Control+Enter", wherever the focus is.
func (p *Page) Press(chord string) {
	p.t.Helper()
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

// await finds what a person would use, however late it comes.
func (p *Page) await(how, wanted string) place {
	p.t.Helper()
	var last string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(lookAgain) {
		at, err := evaluate[place](p, fmt.Sprintf("(%s)(%s, %s)", finder, quote(how), quote(wanted)))
		if err == nil && at.Why == "" {
			return at
		}
		if last = at.Why; err != nil {
			last = err.Error()
		}
	}
	p.fail("%s", last)
	return place{}
}

// quote writes a text as a literal of JavaScript.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // no string fails
	}
	return string(quoted)
}
