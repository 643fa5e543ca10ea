package link_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var asked = link.Reply{Number: "HM-7Q2K9XM4TD", Person: "P-0123456789", Public: true, Issued: time.Unix(1_795_000_000, 0).UTC()}

func replyToken(t testing.TB, r link.Reply) string {
	t.Helper()
	token, err := link.ReplyToken(secret, r)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestReplyToken_isReadBackInAnyCase(t *testing.T) {
	for _, r := range []link.Reply{
		asked, {Number: asked.Number, Person: asked.Person, Issued: asked.Issued}, {Number: "A-0000000000", Person: "P-ZZZZZZZZZZ", Issued: time.Unix(0, 0).UTC()},
		{Number: "ABCDEFG9-ZZZZZZZZZZ", Person: "P-0000000000", Public: true, Alone: true, Issued: time.Unix(1<<33-1, 0).UTC()},
		{Number: ticket.NewNumber("HM"), Person: ticket.NewPersonID(), Alone: true, Issued: time.Now().Truncate(time.Second).UTC()},
	} {
		token := replyToken(t, r)
		for _, written := range []string{token, strings.ToUpper(token), strings.ToUpper(token[:9]) + token[9:]} {
			if got, err := link.VerifyReply(secret, written); got != r || err != nil {
				t.Errorf("%s is read as %+v, %v, want %+v", written, got, err, r)
			}
		}
	}
}

// The token is in addresses on the way for years: another one for the same reply would cut old threads.
func TestReplyToken_staysTheSame(t *testing.T) {
	for token, r := range map[string]link.Reply{
		"hm7q2k9xm4td01234567899nfv1p0qnsmpars406hqjqg": asked,
		"hm7q2k9xm4td01234567891nfv1p0dexezzy61w68n0ma": {Number: asked.Number, Person: asked.Person, Issued: asked.Issued},
	} {
		if got := replyToken(t, r); got != token {
			t.Errorf("the token is %s, want %s", got, token)
		}
	}
}

func TestReplyAddress_isAnAddress(t *testing.T) {
	longest := replyToken(t, link.Reply{Number: "ABCDEFG9-ZZZZZZZZZZ", Person: "P-0000000000", Issued: asked.Issued})
	address, err := link.ReplyAddress("support.desk@holesalemart.example", longest)
	if local, _, _ := strings.Cut(address, "@"); err != nil || len(local) != 64 || link.TokenIn(address) != longest {
		t.Errorf("the address is %q, %v", address, err)
	}
	if strings.Trim(longest, "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
		t.Errorf("the token is %q", longest)
	}
	for _, wrong := range []string{"support.desks@holesalemart.example", "support", ""} {
		if address, err := link.ReplyAddress(wrong, longest); err == nil {
			t.Errorf("%q becomes %q", wrong, address)
		}
	}
	for address, want := range map[string]string{
		"support@x.example": "", "support+@x.example": "", "": "", "@": "", "+a": "", "a+b@": "b", "a+b+c@x.example": "c", "a@x+y.example": "", "a+b@c+d@x.example": "d",
	} {
		if got := link.TokenIn(address); got != want {
			t.Errorf("the token in %q is %q, want %q", address, got, want)
		}
	}
}

func TestReplyToken_refusesOtherFormsOfIDs(t *testing.T) {
	for _, r := range []link.Reply{
		{}, {Number: asked.Number}, {Person: asked.Person}, {Number: "HM-7Q2K9XM4T", Person: asked.Person}, {Number: "hm-7q2k9xm4td", Person: asked.Person},
		{Number: asked.Number, Person: "P-CUSTOMER"}, {Number: asked.Number, Person: "0123456789"}, {Number: asked.Number, Person: "P-012345678O"},
		{Number: "ABCDEFGHI-7Q2K9XM4TD", Person: asked.Person}, {Number: asked.Number, Person: asked.Person, Issued: time.Unix(-1, 0)},
		{Number: asked.Number, Person: asked.Person, Issued: time.Unix(1<<33, 0)},
	} {
		if token, err := link.ReplyToken(secret, r); err == nil {
			t.Errorf("%+v has the token %s", r, token)
		}
	}
}

func TestVerifyReply_refusesEveryOtherCharacter(t *testing.T) {
	token := replyToken(t, asked)
	for i := range token {
		for _, c := range "0123456789abcdefghijklmnopqrstuvwxyz" {
			if byte(c) != token[i] {
				refusedReply(t, secret, token[:i]+string(c)+token[i+1:])
			}
		}
	}
}

func TestVerifyReply_refusesWhatItDidNotMake(t *testing.T) {
	token := replyToken(t, asked)
	refusedReply(t, []byte(strings.Repeat("j", 32)), token)
	for _, forged := range []string{
		"", "x", token[1:], token[:len(token)-1], token + "0", "0" + token, " " + token, strings.Repeat("0", 38), strings.Repeat("0", 1<<20),
		strings.Repeat("ſ", 20), "ı" + token[1:], token[:12] + token[22:], link.MessageIDMAC(secret, asked.Number, 1, 0),
	} {
		refusedReply(t, secret, forged)
	}
	// The long s is an S in upper case.
	token = replyToken(t, link.Reply{Number: "S-7Q2K9XM4TD", Person: asked.Person, Issued: asked.Issued})
	refusedReply(t, secret, "ſ"+token[1:])
}

// The MAC of a Message-ID or of a link must not be one of an address.
func TestVerifyReply_knowsItsPurpose(t *testing.T) {
	body := "HM7Q2K9XM4TD01234567899NFV1P0"
	mac := link.MessageIDMAC(secret, ticket.Number(body), 1, 0)
	refusedReply(t, secret, body+mac[1:])
}

func refusedReply(t *testing.T, secret []byte, token string) {
	t.Helper()
	if r, err := link.VerifyReply(secret, token); r != (link.Reply{}) || fault.KindOf(err) != fault.NotFound || err == nil {
		t.Errorf("%.80q is read as %+v, %v", token, r, err)
	}
}

func FuzzVerifyReply(f *testing.F) {
	f.Add(replyToken(f, asked))
	f.Add("hm7q2k9xm4td")
	f.Fuzz(func(t *testing.T, token string) {
		r, err := link.VerifyReply(secret, token)
		if err != nil {
			return
		}
		if again, err := link.ReplyToken(secret, r); err != nil || !strings.EqualFold(again, token) {
			t.Errorf("%q is read as %+v, which has the token %q, %v", token, r, again, err)
		}
	})
}
