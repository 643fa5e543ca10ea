package quote_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

const customersMail = "Hello,\n\nthe cable is too short.\n\n> You wrote that it is long.\n\nCarol"

func forwardHeader(from, date, to, subject string) string {
	return from + " Carol Example <carol@example.org>\n" + date + " Tue, May 7, 2024 at 10:15 AM\n" + subject + " Cable too short\n" + to + " <desk@example.com>\n"
}

// forwardedMails are a customer's mail as the programs of agents forward it.
var forwardedMails = map[string]string{
	"Gmail English":        "---------- Forwarded message ---------\n" + forwardHeader("From:", "Date:", "To:", "Subject:") + "\n\n" + customersMail,
	"Gmail old":            "---------- Forwarded message ----------\n" + forwardHeader("From:", "Date:", "To:", "Subject:") + "\n\n" + customersMail,
	"Gmail German":         "---------- Forwarded message ---------\n" + forwardHeader("Von:", "Date:", "To:", "Subject:") + "\n\n" + customersMail,
	"Gmail French":         "---------- Forwarded message ---------\n" + forwardHeader("De :", "Date:", "To:", "Subject:") + "\n\n" + customersMail,
	"Thunderbird English":  "-------- Forwarded Message --------\nSubject: \tCable too short\nDate: \tTue, May 7, 2024 at 10:15 AM\nFrom: \tCarol Example <carol@example.org>\nTo: \tdesk@example.com\n\n\n\n" + customersMail,
	"Thunderbird German":   "-------- Weitergeleitete Nachricht --------\nBetreff: \tCable too short\nDatum: \tTue, May 7, 2024 at 10:15 AM\nVon: \tCarol Example <carol@example.org>\nAn: \tdesk@example.com\n\n" + customersMail,
	"Thunderbird French":   "-------- Message transféré --------\nSujet : \tCable too short\nDate : \tTue, May 7, 2024 at 10:15 AM\nDe : \tCarol Example <carol@example.org>\nPour : \tdesk@example.com\n\n" + customersMail,
	"Apple English":        "Begin forwarded message:\n\n" + forwardHeader("From:", "Date:", "To:", "Subject:") + "\n" + customersMail,
	"Apple bold":           "Begin forwarded message:\n\n" + forwardHeader("*From: *", "*Date: *", "*To: *", "*Subject: *") + "\n" + customersMail,
	"Apple German":         "Anfang der weitergeleiteten Nachricht:\n\n" + forwardHeader("Von:", "Datum:", "An:", "Betreff:") + "\n" + customersMail,
	"Apple French":         "Début du message réexpédié :\n\n" + forwardHeader("De:", "Date:", "À:", "Objet:") + "\n" + customersMail,
	"Apple quoted":         "> Begin forwarded message:\n> \n> " + strings.ReplaceAll(forwardHeader("From:", "Date:", "To:", "Subject:")+"\n"+customersMail, "\n", "\n> "),
	"Apple iPhone quoted":  "> Inizio messaggio inoltrato:\n>\n>> " + strings.ReplaceAll(forwardHeader("Da:", "Data:", "A:", "Oggetto:"), "\n", "\n> ") + "\n> " + strings.ReplaceAll(customersMail, "\n", "\n> "),
	"Outlook English":      "________________________________\nFrom: Carol Example <carol@example.org>\nSent: Tue, May 7, 2024 at 10:15 AM\nTo: Desk <desk@example.com>\nSubject: Cable too short\n\n" + customersMail,
	"Outlook old":          "-----Original Message-----\nFrom: Carol Example [mailto:carol@example.org] \nSent: Tue, May 7, 2024 at 10:15 AM\nTo: Desk\nSubject: Cable too short\n\n" + customersMail,
	"Outlook linked":       "From: Carol Example <carol@example.org<mailto:carol@example.org>>\nSent: Tue, May 7, 2024 at 10:15 AM\nTo: Desk\nSubject: Cable too short\n\n" + customersMail,
	"Outlook quoted name":  "From: 'Carol Example' <carol@example.org>\nSent: Tue, May 7, 2024 at 10:15 AM\nTo: Desk\nSubject: Cable too short\n\n" + customersMail,
	"Outlook German":       "Von: Carol Example <carol@example.org>\nGesendet: Tue, May 7, 2024 at 10:15 AM\nAn: Desk <desk@example.com>\nBetreff: Cable too short\n\n" + customersMail,
	"Outlook Spanish":      "De: Carol Example <carol@example.org>\nEnviado: Tue, May 7, 2024 at 10:15 AM\nPara: Desk <desk@example.com>\nAsunto: Cable too short\n\n" + customersMail,
	"Outlook Chinese":      "发件人: Carol Example <carol@example.org>\n发送时间: Tue, May 7, 2024 at 10:15 AM\n收件人: Desk <desk@example.com>\n主题: Cable too short\n\n" + customersMail,
	"Outlook wrapped":      "From: Carol Example <carol@example.org>\nSent: Tue, May 7, 2024 at 10:15 AM\nTo: Desk <desk@example.com>;\nSales <sales@example.com>;\nAnn <ann@example.com>\nSubject: Cable too short\n\n" + customersMail,
	"Outlook wrapped name": "From: Carol Example\n<carol@example.org>\nSent: Tue, May 7, 2024 at 10:15 AM\nTo: Desk <desk@example.com>\nSubject: Cable\ntoo short\nImportance: High\n\n" + customersMail,
	"Yahoo":                "----- Forwarded Message -----\nFrom: Carol Example <carol@example.org>\nTo: Desk <desk@example.com>\nSent: Tue, May 7, 2024 at 10:15 AM\nSubject: Cable too short\n\n" + customersMail,
	"Proton":               "------- Forwarded Message -------\nFrom: Carol Example <carol@example.org>\nDate: Tue, May 7, 2024 at 10:15 AM\nSubject: Cable too short\nTo: desk@example.com <desk@example.com>\n\n" + customersMail,
	"Yandex":               "-------- Пересылаемое сообщение --------\nОт кого: Carol Example <carol@example.org>\nДата: Tue, May 7, 2024 at 10:15 AM\nТема: Cable too short\nКому: desk@example.com\n\n" + customersMail,
}

func TestForwarded_findsTheSenderOfWhatIsForwarded(t *testing.T) {
	for name, mail := range forwardedMails {
		for _, above := range []string{"", "Please open a ticket for her.\n\n", "FYI\n\n-- \nAnn Agent\nDemo Ltd.\n\n"} {
			for _, end := range []string{"\n", "\r\n"} {
				text := strings.ReplaceAll(above+mail, "\n", end)
				have, found := quote.Forwarded(text)
				if !found || have.From.Address != "carol@example.org" || have.From.Name != "Carol Example" {
					t.Fatalf("%s: the sender is %+v, %t", name, have.From, found)
				}
				if have.Subject != "Cable too short" || have.Date != "Tue, May 7, 2024 at 10:15 AM" {
					t.Errorf("%s: subject %q, date %q", name, have.Subject, have.Date)
				}
				if words(have.Text) != words(customersMail) {
					t.Errorf("%s: the text is %q", name, have.Text)
				}
				if marked := !strings.HasPrefix(name, "Outlook"); have.Marked != marked {
					t.Errorf("%s: marked %t", name, have.Marked)
				}
			}
		}
	}
}

func TestSplitText_showsForwardedMails(t *testing.T) {
	for name, mail := range forwardedMails {
		if have := shown(mail); words(have) != words(mail) {
			t.Errorf("%s alone: a reader sees %q", name, have)
		}
		if have := shown("Please open a ticket.\n\n" + mail); !strings.HasPrefix(name, "Outlook") && !strings.Contains(have, "too short.") {
			t.Errorf("%s: a reader sees %q", name, have)
		}
	}
}

func TestSplitText_foldsAForwardedMailBelowALongOne(t *testing.T) {
	long := strings.Repeat("This is what happened, in many words.\n", 40)
	folds(t, long+"\n"+forwardedMails["Gmail English"], long)
	folds(t, long+"\n"+forwardedMails["Apple quoted"], long)
}

func TestForwarded_findsNothingElsewhere(t *testing.T) {
	for _, text := range []string{
		"", "\n\n", "Hello", "Begin forwarded message:", "---------- Forwarded message ---------\n\nHello",
		"---------- Forwarded message ---------\nFrom: Carol\nDate: today\nSubject: x\n\nHello",
		"From: Carol <carol@example.org>\n\nHello", "From: Carol <carol@example.org>\nDate: Monday\n\nHello", "From: @\nSent: x\nTo: y\nSubject: z\n\nHello",
		"On Tue, May 7, 2024 at 10:15 AM Carol <carol@example.org> wrote:\n> Hello\n",
	} {
		if have, found := quote.Forwarded(text); found {
			t.Errorf("%q: %+v", text, have)
		}
	}
}

func TestForwards_knowsForwardsOfManyLanguages(t *testing.T) {
	for subject, want := range map[string]bool{
		"Fwd: Cable": true, "FW: Cable": true, "WG: Kabel": true, "TR : câble": true, "RV: cable": true, "ENC: cabo": true, "I: cavo": true,
		"VB: kabel": true, "VL: kaapeli": true, "PD: kabel": true, "转发：电缆": true, "fwd:": true, "İLT: Kablo": true, "ΠΡΘ: Καλώδιο": true, "Пересл: Кабель": true, "הועבר: כבל": true,
		"[EXT] FW: Cable": true, "[EXT] Re: FW: Cable": false, "[Fw: Cable]": false,
		"Re: Cable": false, "AW: Kabel": false, "Cable": false, "": false, "VS: kaapeli": false, "Fwd Cable": false, ":": false,
	} {
		if have := quote.Forwards(subject, ""); have != want {
			t.Errorf("%q: %t", subject, have)
		}
	}
}

// Below however much of the sender's own text.
func TestForwards_knowsTheLineAboveWhatIsForwarded(t *testing.T) {
	const forwarded = "---------- Forwarded message ---------\r\nFrom: Ada <ada@example.org>\r\nDate: Tue, 7 May 2024 10:15\r\nSubject: Cable\r\nTo: Bo\r\n\r\nIt is late.\r\n"
	own := strings.Repeat("This is what has happened since, one line after another.\r\n", 40) + "\r\n"
	for _, c := range []struct {
		subject, text string
		want          bool
	}{
		{"Problem with my order", own + forwarded, true}, {"Cable: late", own + forwarded, true}, {"Problem", own + "Begin forwarded message:\n\n> From: Ada", true},
		{"Re: Problem", own + forwarded, false}, {"AW: Problem", own + forwarded, false},
		{"Problem", own + "> " + strings.ReplaceAll(forwarded, "\n", "\n> "), false}, {"Problem", own + "The Forwarded message is late.", false},
	} {
		if have := quote.Forwards(c.subject, c.text); have != c.want {
			t.Errorf("%q: %t", c.subject, have)
		}
		if have := shownOf(c.text, quote.Options{Forward: c.want}); c.want && words(have) != words(c.text) {
			t.Errorf("%q: shown is %q", c.subject, have)
		}
	}
}

func TestForwards_tellsDanishAndNorwegianForwardsFromFinnishAnswers(t *testing.T) {
	const danish, finnish = "Se nedenfor.\n\nFra: Ada <ada@example.org>\nSendt: 7. maj 2024 10:15\nTil: Bo\nEmne: Kabel\n\nHej", "Kiitos.\n\nLähettäjä: Ada <ada@example.org>\nLähetetty: 7. toukokuuta 2024\nVastaanottaja: Bo\nAihe: Kaapeli\n\nHei"
	for _, c := range []struct {
		subject, text string
		want          bool
	}{
		{"VS: Kabel", danish, true}, {"[EKSTERN] VS : Kabel", danish, true}, {"VS: Kabel", strings.Replace(danish, "Fra:", "*Fra:*", 1), true}, {"SV: Kabel", danish, false}, {"VS: Kaapeli", finnish, false},
		{"VL: Kaapeli", finnish, true}, {"Kabel", danish, false}, {"VS: Kabel", "", false},
	} {
		if have := quote.Forwards(c.subject, c.text); have != c.want {
			t.Errorf("%q: %t", c.subject, have)
		}
	}
}

func TestForwarded_readsTheCorpus(t *testing.T) {
	found := 0
	files := corpus(t, "quotes/forwarded_*.txt")
	for _, file := range files {
		if strings.Contains(file, ".trimmed.") {
			continue
		}
		if have, is := quote.Forwarded(read(t, file)); is && have.Marked && have.From.Address != "" && !strings.Contains(have.Text, have.Subject) {
			found++
		} else {
			t.Errorf("%s: %+v", file, have)
		}
	}
	if len(files) == 6 && found != 3 {
		t.Errorf("%d of 3", found)
	}
}

// forwardSubjects are subjects of forwards as programs begin them in several languages.
var forwardSubjects = []string{"Fw: Cable", "FWD: Cable", "WG: Kabel", "TR: Câble", "RV: Cable", "ENC: Cabo", "I: Cavo", "[EXTERNAL] Fw: Cable", "[HM-7Q2K9XM4TD] [EXT] Fwd: Cable"}

// Outlook writes the same header above a mail that is answered and one that is forwarded. What a customer forwards is what they have to
// say.
func TestOptions_forwardShowsWhatIsForwarded(t *testing.T) {
	const above = "Hello, please read this. It is about my order.\n\n"
	for name, mail := range forwardedMails {
		for _, subject := range forwardSubjects {
			text := strings.Repeat(above, 1+40*(len(name)%2)) + mail
			if have := shownOf(text, quote.Options{Forward: quote.Forwards(subject, "")}); words(have) != words(text) {
				t.Errorf("%s as %q: a reader sees %q", name, subject, have)
			}
		}
		for _, subject := range []string{"Re: Cable", "AW: Kabel", "Re: Fw: Cable", "SV: kabel", "R: cavo", "Cable", ""} {
			have := shownOf(above+mail, quote.Options{Forward: quote.Forwards(subject, "")})
			if strings.HasPrefix(name, "Outlook") && strings.Contains(have, "too short.") {
				t.Errorf("%s in an answer with subject %q: a reader sees %q", name, subject, have)
			}
		}
	}
}

// The forwarded mail's own quotations are shown with it, but the signature of who forwards it is folded, as everywhere.
func TestOptions_forwardFoldsSignatures(t *testing.T) {
	text := "FYI\n\n-- \nAnn\nDemo Ltd.\n\n" + forwardedMails["Outlook English"]
	var folded []quote.Kind
	for _, s := range quote.SplitText(text, quote.Options{Forward: true}) {
		if s.Folded() {
			folded = append(folded, s.Kind)
		}
	}
	if !slices.Equal(folded, []quote.Kind{quote.Signature}) {
		t.Errorf("folded are %v", folded)
	}
}
