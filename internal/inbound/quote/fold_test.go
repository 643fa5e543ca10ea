package quote_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

func TestFold_alternatesShownAndFolded(t *testing.T) {
	text := "Hello\n\nSent from my iPhone\n\nOn 7 May 2024, at 10:15, Ada <ada@example.com> wrote:\n> a\n> b\n\n-- \nCarol\n"
	want := []quote.Segment{
		{Kind: quote.Written, Text: "Hello\n\n"},
		{Kind: quote.Signature, Text: "Sent from my iPhone\n\n"},
		{Kind: quote.Quoted, Text: "On 7 May 2024, at 10:15, Ada <ada@example.com> wrote:\n> a\n> b\n"},
		{Kind: quote.Written, Text: "\n"},
		{Kind: quote.Signature, Text: "-- \nCarol\n"},
	}
	if have := quote.Fold(text, quote.Options{}); !slices.Equal(have, want) {
		t.Errorf("%+v", have)
	}
}

func TestFold_joinsQuotationsAcrossBlankLines(t *testing.T) {
	quoted := "> On 8 May 2024, at 10:15, Ada <ada@example.com> wrote:\n> a\n"
	text := "Hello\n" + quoted + "\nOn 7 May 2024, at 10:15, Ada <ada@example.com> wrote:\n\n> b\n"
	if have := quote.Fold(text, quote.Options{}); len(have) != 2 || have[1].Kind != quote.Quoted || have[0].Text != "Hello\n" {
		t.Errorf("%+v", have)
	}
}

func TestSplitText_takesWordsBelowAnIntroductionAtTheTopForWritten(t *testing.T) {
	text := "On 7 May 2024, at 10:15, Ada <ada@example.com> wrote:\n\nHello\n"
	want := []quote.Segment{
		{Kind: quote.Quoted, Text: "On 7 May 2024, at 10:15, Ada <ada@example.com> wrote:\n", Inline: true},
		{Kind: quote.Written, Text: "\nHello\n"},
	}
	if have := quote.SplitText(text, quote.Options{}); !slices.Equal(have, want) {
		t.Errorf("%+v", have)
	}
}

func TestFold_joinsWhatIsShown(t *testing.T) {
	answers := "> Which cable?\nBlue.\n> Since when?\nMonday.\n"
	want := []quote.Segment{{Kind: quote.Written, Text: answers}, {Kind: quote.Quoted, Text: "> a\n> b\n> c\n> d\n"}}
	if have := quote.Fold(answers+"> a\n> b\n> c\n> d\n", quote.Options{}); !slices.Equal(have, want) {
		t.Errorf("%+v", have)
	}
}

func TestSplitText_showsATextOfTooManyLines(t *testing.T) {
	text := "x\n" + strings.Repeat(">\n", 60_000)
	if have := quote.SplitText(text, quote.Options{}); len(have) != 1 || have[0].Folded() || have[0].Text != text {
		t.Errorf("%d segments", len(have))
	}
}

func TestSplitText_showsEverythingWhereNothingElseIs(t *testing.T) {
	for _, text := range []string{"> a\n> b\n> c\n> d\n", "Sent from my iPhone\n", "-- \nCarol\n", "\n\n> a\n> b\n> c\n> d\n\n-- \nCarol\n"} {
		for _, s := range quote.SplitText(text, quote.Options{}) {
			if s.Folded() {
				t.Errorf("of %q, %q is folded", text, s.Text)
			}
		}
	}
}

// A paragraph with a number, a colon or an address may look like the beginning of the line that introduces a quotation.
func TestSplitText_showsTheParagraphAboveAnIntroduction(t *testing.T) {
	for _, above := range []string{
		"Hi, my order number is 4711.", "Please call me: 555-1234", "internal: she is nice", "Ask <ada@example.com>", "It came on 23.11.2026 at 10:15.",
		"Order 4711", "I ordered on 23.11.2026",
	} {
		for _, introduction := range []string{
			"Holesalemart Support <support@desk.example> wrote:", "Holesalemart Support wrote:", "On x, Holesalemart Support <s@desk.example> wrote:",
			"On Mon, Nov 23, 2026 at 10:23 AM Support <support@desk.example> wrote:", "Am 23.11.2026 um 10:23 schrieb Support <support@desk.example>:",
			"On Mon, Nov 23, 2026 at 10:23 AM Holesalemart Support\n<support@desk.example> wrote:", "On Mon, Nov 23, 2026 at 10:23 AM\nHolesalemart Support wrote:",
			"2026-11-23 10:23 GMT+01:00 Support <support@desk.example>:",
		} {
			for _, between := range []string{"\n\n", "\n\n\n"} {
				text := above + between + introduction + "\n> It is found.\n> Bye\n"
				if got := strings.TrimSpace(shown(text)); got != above {
					t.Errorf("of %q is shown %q", text, got)
				}
			}
		}
	}
}
