package message_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

func readHTML(t *testing.T, page string) message.Message {
	t.Helper()
	m, err := message.Read(context.Background(), strings.NewReader("From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"+page), func(message.File, io.Reader) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRead_leavesOutWhatTheHTMLHides(t *testing.T) {
	for name, page := range map[string]string{
		"display":               `<html><body><div style="display: none; max-height:0">PREHEADER <b>x</b><img src="https://x.example/p.png"></div><p>Seen.</p></body></html>`,
		"capitals":              `<DIV STYLE="Display : None !important">PREHEADER</DIV><p>Seen.</p>`,
		"letters":               `<span style="font-size:0px">PREHEADER</span><p>Seen.</p>`,
		"letters, one pt":       `<span style="color:#fff;font-size:0.0pt;">PREHEADER</span><p>Seen.</p>`,
		"height":                `<div style="max-height:0px;overflow:hidden">PREHEADER<div>PREHEADER</div></div><p>Seen.</p>`,
		"opacity":               `<div style="opacity:0">PREHEADER</div><p>Seen.</p>`,
		"hidden attribute":      `<div hidden>PREHEADER</div><p>Seen.</p>`,
		"no visibility":         `<td style="visibility:hidden">PREHEADER<td><p>Seen.</p>`,
		"nested":                `<div style="display:none"><div>PREHEADER</div>PREHEADER</div><p>Seen.</p>`,
		"a cell without an end": `<table><tr><td style="font-size:0">PREHEADER<td>Seen.</table>`,
	} {
		m := readHTML(t, page)
		if strings.Contains(m.Text, "PREHEADER") || strings.Contains(m.HTML, "PREHEADER") || m.Text != "Seen." || !strings.Contains(m.HTML, "Seen.") {
			t.Errorf("%s: text %q, HTML %q", name, m.Text, m.HTML)
		}
	}
}

func TestRead_keepsWhatMayBeSeen(t *testing.T) {
	for name, page := range map[string]string{
		"letters of a size within": `<div style="line-height:0;font-size:0"><table><tr><td style="font-size:14px">Seen.</td></tr></table></div>`,
		"nothing else":             `<div style="display:none">Seen.</div>`,
		"no end":                   `<p>Hi</p><div style="display:none">Seen.`,
		"much opacity":             `<p style="opacity:0.9">Seen.</p>`,
		"some height":              `<p style="max-height:01px">Seen.</p>`,
		"other styles":             `<p style="x-display:none;font-size:0.8em">Seen.</p>`,
		"letters of a part":        `<p style="font-size:10px">Seen.</p>`,
		"a picture beside":         `<div style="display:none">x</div><p>Seen.</p><img src="cid:x">`,
	} {
		if m := readHTML(t, page); !strings.Contains(m.Text, "Seen.") || !strings.Contains(m.HTML, "Seen.") {
			t.Errorf("%s: text %q, HTML %q", name, m.Text, m.HTML)
		}
	}
}
