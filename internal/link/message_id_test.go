package link_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/link"
)

func TestParseMessageID_readsWhatWasSent(t *testing.T) {
	mac, late := link.MessageIDMAC(secret, asked.Number, 3, 0), link.MessageIDMAC(secret, asked.Number, 3, 1796000000)
	for id, want := range map[string]link.MessageID{
		"<hm-7q2k9xm4td.3@example.com>":                       {Number: asked.Number, N: 3},
		"HM-7Q2K9XM4TD.3@Example.COM":                         {Number: asked.Number, N: 3},
		"<hm-7q2k9xm4td.3.1796000000@example.com>":            {Number: asked.Number, N: 3, Epoch: 1796000000},
		"<hm-7q2k9xm4td.3." + mac + "@example.com>":           {Number: asked.Number, N: 3, MAC: mac},
		"hm-7q2k9xm4td.3.1796000000." + late + "@example.com": {Number: asked.Number, N: 3, Epoch: 1796000000, MAC: late},
	} {
		want.Domain = "example.com"
		got, ok := link.ParseMessageID(id)
		if !ok || got != want {
			t.Errorf("%s is read as %+v, %v", id, got, ok)
		}
		if got.Verify(secret) != (want.MAC != "") {
			t.Errorf("%s is verified: %v", id, got.Verify(secret))
		}
	}
}

func TestParseMessageID_refusesOthers(t *testing.T) {
	mac := link.MessageIDMAC(secret, asked.Number, 3, 0)
	for _, id := range []string{
		"", "<>", "@", "<announcement.7@example.com>", "<account.7@example.com>", "<CAF+x.y@mail.example.com>", "hm-7q2k9xm4td@example.com",
		"<hm-7q2k9xm4td.3@example.com", "hm-7q2k9xm4td.3@example.com>", "<<hm-7q2k9xm4td.3@example.com>>", "hm-7q2k9xm4td.3@", "hm-7q2k9xm4td.3",
		"hm-7q2k9xm4td.0@x", "hm-7q2k9xm4td.-1@x", "hm-7q2k9xm4td.+3@x", "hm-7q2k9xm4td.03@x", "hm-7q2k9xm4td.3.0@x", "hm-7q2k9xm4td.3.01@x",
		"hm-7q2k9xm4td.99999999999@x", "hm-7q2k9xm4td.3.99999999999999999999@x", "hm-7q2k9xm4td.3.4.5@x", "hm-7q2k9xm4td." + mac + "@x",
		"hm-7q2k9xm4td.3." + mac + "0@x", "hm-7q2k9xm4td.3." + mac[1:] + "@x", "hm-7q2k9xm4tl.3@x", "hm-7q2k9xm4td .3@x", "hm-7q2k9xm4td.3@x@y",
		strings.Repeat("hm-7q2k9xm4td.", 1<<16) + "3@x", "hm-7q2k9xm4td.3@" + strings.Repeat("x", 400),
	} {
		if m, ok := link.ParseMessageID(id); ok {
			t.Errorf("%.80q is read as %+v", id, m)
		}
	}
}

func TestMessageID_isVerifiedForItsOwnMailOnly(t *testing.T) {
	m, _ := link.ParseMessageID("hm-7q2k9xm4td.3." + link.MessageIDMAC(secret, asked.Number, 3, 0) + "@example.com")
	if !m.Verify(secret) || m.Verify([]byte(strings.Repeat("j", 32))) {
		t.Error("the secret makes no difference")
	}
	moved := m
	moved.Domain = "other.example"
	if !moved.Verify(secret) {
		t.Error("mails of before the domain was changed are no longer ours")
	}
	for _, change := range []func(*link.MessageID){
		func(m *link.MessageID) { m.N++ }, func(m *link.MessageID) { m.Epoch++ }, func(m *link.MessageID) { m.Number = "HM-7Q2K9XM4TC" },
		func(m *link.MessageID) { m.MAC = "" }, func(m *link.MessageID) { m.MAC = m.MAC[:16] + "0" },
		func(m *link.MessageID) { m.N, m.Epoch = 33, 0 },
	} {
		other := m
		change(&other)
		if other.Verify(secret) {
			t.Errorf("%+v is verified", other)
		}
	}
}

// The MAC is part of a Message-ID, which stays the same for ever.
func TestMessageIDMAC_staysTheSame(t *testing.T) {
	if got := link.MessageIDMAC(secret, asked.Number, 3, 0); got != "ms78rregkqjhevhw6" {
		t.Errorf("it is %s", got)
	}
}

func FuzzParseMessageID(f *testing.F) {
	f.Add("<hm-7q2k9xm4td.3.1796000000.m0123456789abcdef@example.com>")
	f.Add("hm-7q2k9xm4td.3@x")
	f.Fuzz(func(t *testing.T, id string) {
		m, ok := link.ParseMessageID(id)
		if ok && (m.N < 1 || m.Epoch < 0 || m.Domain == "" || !strings.Contains(strings.ToUpper(id), string(m.Number))) {
			t.Errorf("%q is read as %+v", id, m)
		}
	})
}
