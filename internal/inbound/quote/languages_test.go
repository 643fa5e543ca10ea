package quote_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

// cases reads the lines of a file: a name, a tab, and text in which "\n" ends a line.
func cases(t *testing.T, file string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(read(t, file)) {
		name, text, found := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || !found {
			continue
		}
		if all[name] != "" {
			t.Fatalf("%s has %s twice", file, name)
		}
		all[name] = strings.ReplaceAll(text, `\n`, "\n")
	}
	return all
}

const answer = "Thank you, the second one works.\nI keep it.\n"

// folds checks that of a mail exactly what is written is visible.
func folds(t *testing.T, text, written string) {
	t.Helper()
	if have := shown(text); strings.TrimSpace(have) != strings.TrimSpace(written) {
		t.Errorf("of\n%s\na reader sees\n%s\nwant\n%s", text, have, written)
	}
}

func TestSplitText_knowsHowQuotationsAreIntroduced(t *testing.T) {
	all := cases(t, "testdata/introductions.txt")
	if len(all) < 90 {
		t.Errorf("%d introductions", len(all))
	}
	for name, introduction := range all {
		t.Run(name, func(t *testing.T) {
			folds(t, answer+"\n"+introduction+"\n\n> Please try the other cable.\n> Does it work?\n", answer)
			folds(t, answer+introduction+"\n> Please try the other cable.\n", answer)
			if !strings.HasSuffix(name, "marked") { // the line alone may be written
				folds(t, answer+"\n"+introduction+"\n\nPlease try the other cable.\nDoes it work?\n", answer)
			}
			folds(t, strings.ReplaceAll(answer+"\n"+introduction+"\n\n> Please try it.\n", "\n", "\r\n"), strings.ReplaceAll(answer, "\n", "\r\n"))
			quoted := "> " + strings.ReplaceAll(introduction, "\n", "\n> ")
			folds(t, answer+"\n"+quoted+"\n> \n> Please.\n", answer)
		})
	}
}

func TestSplitText_doesNotTakeWordsForAnIntroduction(t *testing.T) {
	for _, text := range []string{
		"On Monday at 10:15 your colleague wrote:\n\nplease send it back\n\nThat is what I did.\n",
		"Please write to <stock@example.com> and ask for:\n\nthe 2024 catalogue\n",
		"I wrote to desk@example.com on 7 May 2024 and asked the following:\n\nWhere is it?\n",
		"My answers, as of 7.5.2024 10:15:\n\nYes.\nNo.\n",
		"The note on the box: from 2024 on, at 10:15, I wrote:\n\nEverything is fine.\n",
		"From: Berlin\nTo: Paris\nDate: 7 May\n\nCan you ship this?\n",
		"Its source is\n\nReceived: from x\n  by y\nFrom: a@example.com\nTo: b@example.com\nSubject: c\nDate: today\n\nWhy was it rejected?\n",
		"It works.\nSent from my phone, does that matter?\n",
		"From: a@example.com\nTo: b@example.com\nMessage-ID: <d>\nSubject: c\n\nWhy was it rejected?\n",
		"Subject: my order\n\nIt is late.\n",
		"I see this:\n\n> install\n> run\n",
		"Prices:\n--\nblue 3\nred 4, and now a line that is longer than any line of a signature, which shows that this is text\n",
		"```\n-- \n> a\nOn 07/05/2024 10:15, Demo Desk wrote:\n```\n",
		"The log says\n2024-05-07 10:15:01 mail to user@example.com:\nerror 5\n",
		"The log says\n07.05.2024 10:15:01 The printer wrote:\nerror 5\n",
		"On 7 May 2024 at 10:15 I wrote:\n\nWhere is it?\n\nThere was no answer.\n",
		"Am 7.5.2024 um 10:15 schrieb ich Ihnen:\n\nWo ist es?\n\nNoch immer nichts.\n",
		"Its source is\n\nReturn-Path: <a@example.com>\nReceived: from x\n  by y\nFrom: a@example.com\nTo: b@example.com\nSubject: c\nDate: today\nMessage-ID: <d>\n\nWhy was it rejected?\n",
		"Sent from Berlin on Monday, it has not arrived.\n",
		"Hello\nSent from my iPhone it looks different.\nBye\n",
		"___________\nA form\n",
	} {
		folds(t, "Hello,\n"+text, "Hello,\n"+text)
	}
}

func TestSplitText_neverTakesTheLineAboveForTheIntroduction(t *testing.T) {
	for _, line := range []string{"See 12 of them.", "I bought 2", "Reach me at me@example.com", "Thanks, 2024 was good"} {
		folds(t, line+"\nOn Tue, May 7, 2024 at 10:15 AM Demo Desk <desk@example.com>\nwrote:\n\n> Hello\n", line)
		folds(t, line+"\nAm 07.05.24 um 10:15 schrieb Demo Desk:\n> Hello\n", line)
	}
}

func TestSplitText_knowsHeadersOfQuotedMails(t *testing.T) {
	all := cases(t, "testdata/headers.txt")
	if len(all) < 25 {
		t.Errorf("%d headers", len(all))
	}
	for name, header := range all {
		t.Run(name, func(t *testing.T) {
			for _, above := range []string{"", "________________________________\n", "-----Original Message-----\n"} {
				folds(t, answer+"\n"+above+header+"\n\nPlease try the other cable.\n\nDemo Desk\n", answer)
			}
			folds(t, answer+"\n> "+strings.ReplaceAll(header, "\n", "\n> ")+"\n>\n> Please try.\n", answer)
			bold := "*" + strings.ReplaceAll(strings.ReplaceAll(header, "\n", "\n*"), ":", ":*")
			folds(t, answer+"\n"+bold+"\n\nPlease try the other cable.\n", answer)
		})
	}
}

func TestSplitText_showsAnswersBetweenMarkedLinesBelowAHeader(t *testing.T) {
	text := "See below.\n\n-----Original Message-----\nFrom: Demo Desk <desk@example.com>\nSent: Tuesday\nTo: Carol\nSubject: Cable\n\n" +
		"> Which cable?\n\nThe blue one.\n\n> And since when?\n\nMonday.\n\n> Regards\n> Desk\n> desk@example.com\n> Tel. 1\n"
	have := shown(text)
	for _, want := range []string{"See below.", "Which cable?", "The blue one.", "since when?", "Monday."} {
		if !strings.Contains(have, want) {
			t.Errorf("%q is hidden", want)
		}
	}
	if strings.Contains(have, "Tel. 1") {
		t.Error("what isn't answered is shown")
	}
}

func TestSplitText_knowsLinesAboveQuotedMails(t *testing.T) {
	for name, line := range cases(t, "testdata/originals.txt") {
		t.Run(name, func(t *testing.T) {
			folds(t, answer+"\n-----"+line+"-----\n\nPlease try the other cable.\n", answer)
			folds(t, answer+"\n-------- "+line+" --------\nPlease try.\n", answer)
			folds(t, answer+"\n"+line+"\nis what I mean.\n", answer+"\n"+line+"\nis what I mean.\n")
		})
	}
}

func TestSplitText_knowsAHeaderInTheLineAboveAQuotedMail(t *testing.T) {
	for _, line := range []string{
		"-------- Original message --------From: Demo Desk <desk@example.com> Date: 07/05/2024 10:15 (GMT+01:00) To: Carol Subject: Cable",
		"-------- Ursprüngliche Nachricht --------Von: Demo Desk <desk@example.com> Datum: 07.05.24 10:15 (GMT+01:00) An: Carol Betreff: Cable",
		"-------- Message d'origine --------De : Demo Desk <desk@example.com> Date : 07/05/2024 10:15 (GMT+01:00) À : Carol Objet : Cable",
	} {
		folds(t, answer+"\n"+line+" \nPlease try the other cable.\n", answer)
	}
	text := answer + "\n---- original message ---- is what it says above it.\n"
	folds(t, text, text)
}

func TestSplitText_knowsSignaturesOfPrograms(t *testing.T) {
	for name, line := range cases(t, "testdata/signatures.txt") {
		t.Run(name, func(t *testing.T) {
			folds(t, answer+"\n"+line+"\n", answer)
			folds(t, answer+"\n"+line+"\n\nOn 7 May 2024, at 10:15, Demo Desk <desk@example.com> wrote:\n\n> Hello\n", answer)
			for _, s := range quote.SplitText(answer+"\n"+line+"\n", quote.Options{}) {
				if strings.Contains(s.Text, line) && s.Kind != quote.Signature {
					t.Errorf("%q is %s", line, s.Kind)
				}
			}
		})
	}
}
