package link_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/link"
)

func TestSecrets_knowEveryTokenThatWasMade(t *testing.T) {
	s := link.Secrets{Links: secret, Replies: secret}
	ofFile := link.Grant{Number: "F-0123456789ABCDEFGHJKMNPQRS", Person: grant.Person, Expires: time.Unix(4_000_000_000, 0)}
	for name, token := range map[string]string{
		"conversation": link.New(secret, grant), "escalation": link.NewEscalation(secret, grant), "file": link.NewFile(secret, ofFile),
	} {
		if size := link.TokenSize(token + "and more"); size != len(token) {
			t.Errorf("%s: the size is %d, want %d", name, size, len(token))
		}
		if !s.MadeToken(token) || s.MadeToken(token[1:]) || (link.Secrets{Links: []byte("another")}).MadeToken(token) {
			t.Errorf("%s: the token is not the desk's, or another is", name)
		}
	}
	for _, text := range []string{"", link.TokenStart, link.TokenStart + strings.Repeat("A", 200), "FAQAAAA" + strings.Repeat("x", 200), link.TokenStart + strings.Repeat("é", 50)} {
		if size := link.TokenSize(text); size != 0 {
			t.Errorf("%q has size %d", text, size)
		}
	}
}

func TestSecrets_findReplyTokens(t *testing.T) {
	s := link.Secrets{Replies: secret}
	for _, r := range []link.Reply{asked, {Number: "HELPDESK-7Q2K9XM4TD", Person: asked.Person, Issued: asked.Issued}, {Number: "1-7Q2K9XM4TD", Person: asked.Person, Public: true, Issued: asked.Issued}} {
		token, err := link.ReplyToken(secret, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, around := range [][2]string{{"", ""}, {"support+", "@desk.example"}, {"Writeto", "now"}, {strings.Repeat("00h1", 50), strings.Repeat("h2", 20)}} {
			for _, spelled := range []string{token, strings.ToUpper(token)} {
				tries := 10_000
				text := around[0] + spelled + around[1]
				if start, end := s.FindReplyToken(text, &tries); start < 0 || text[start:end] != spelled {
					t.Errorf("in %q %q is found", text, text[start:end])
				}
			}
		}
		tries := 0
		if start, end := s.FindReplyToken("support+"+token+"@desk.example", &tries); end-start != len(token) {
			t.Error("a token between signs is not found without tries")
		}
		last := map[bool]string{true: "1", false: "0"}[strings.HasSuffix(token, "0")]
		if _, end := s.FindReplyToken(token[:len(token)-1]+last, &tries); end != 0 {
			t.Error("a forged one is found")
		}
	}
	tries := 1000
	if _, end := s.FindReplyToken(strings.Repeat("h0", 100_000)+strings.Repeat("12345", 10_000), &tries); end != 0 || tries != 0 {
		t.Errorf("%d tries are left, end %d", tries, end)
	}
}
