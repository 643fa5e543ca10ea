package config_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/config"
)

// imapSettings are valid settings with a mailbox named support.
func imapSettings(mailboxes string, more map[string]string) map[string]string {
	settings := map[string]string{
		"SUPPORTDESK_MAIL_ADDRESSES": "support@desk.example", "SUPPORTDESK_IMAP_MAILBOXES": mailboxes, "SUPPORTDESK_IMAP_PASSWORD_SUPPORT": "a%s,ecret",
	}
	maps.Copy(settings, more)
	return settings
}

func TestLoad_readsMailboxes(t *testing.T) {
	got, err := load(imapSettings("support=imaps://support@desk.example@mail.example,old-orders=imap://orders@mail.example:1143/INBOX/Old%20orders, local=imap+plain://me@127.0.0.1",
		map[string]string{"SUPPORTDESK_IMAP_TOKEN_FILE_OLD_ORDERS": "/run/token", "SUPPORTDESK_IMAP_PASSWORD_LOCAL": "secret"}))
	if err != nil {
		t.Fatal(err)
	}
	want := []config.IMAPMailbox{
		{Name: "support", Scheme: "imaps", Server: "mail.example:993", User: "support@desk.example", Folder: "INBOX", Password: "a%s,ecret"},
		{Name: "old-orders", Scheme: "imap", Server: "mail.example:1143", User: "orders", Folder: "INBOX/Old orders", TokenFile: "/run/token"},
		{Name: "local", Scheme: "imap+plain", Server: "127.0.0.1:143", User: "me", Folder: "INBOX", Password: "secret"},
	}
	if diff := cmp.Diff(want, got.ParsedIMAP); diff != "" {
		t.Error(diff)
	}
}

func TestLoad_validatesMailboxes(t *testing.T) {
	for name, c := range map[string]struct {
		mailboxes string
		more      map[string]string
		want      string
	}{
		"no name":        {"imaps://a@mail.example", nil, "SUPPORTDESK_IMAP_MAILBOXES has an entry that is not NAME=URL"},
		"no user":        {"support=imaps://mail.example", nil, "SUPPORTDESK_IMAP_MAILBOXES has no URL such as"},
		"another scheme": {"support=https://a@mail.example", nil, "SUPPORTDESK_IMAP_MAILBOXES has no URL such as"},
		"twice":          {"support=imaps://a@mail.example,support=imaps://b@mail.example", nil, "SUPPORTDESK_IMAP_MAILBOXES names support twice"},
		"in clear":       {"support=imap+plain://a@mail.example", nil, "SUPPORTDESK_IMAP_MAILBOXES has an unencrypted connection for support"},
		"its password":   {"support=imaps://a:hunter2@mail.example", nil, "belongs in SUPPORTDESK_IMAP_PASSWORD_SUPPORT"},
		"no secret":      {"other=imaps://a@mail.example", nil, "SUPPORTDESK_IMAP_PASSWORD_OTHER or SUPPORTDESK_IMAP_TOKEN_FILE_OTHER is required"},
		"two secrets":    {"support=imaps://a@mail.example", map[string]string{"SUPPORTDESK_IMAP_TOKEN_FILE_SUPPORT": "/t"}, "SUPPORTDESK_IMAP_PASSWORD_SUPPORT or"},
		"no addresses":   {"support=imaps://a@mail.example", map[string]string{"SUPPORTDESK_MAIL_ADDRESSES": ""}, "SUPPORTDESK_MAIL_ADDRESSES is required"},
	} {
		_, err := load(imapSettings(c.mailboxes, c.more))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoad_boundsTheNumberOfMailboxes(t *testing.T) {
	for n, valid := range map[int]bool{16: true, 17: false} {
		var entries []string
		more := map[string]string{}
		for i := range n {
			name := fmt.Sprintf("box%d", i)
			entries = append(entries, name+"=imaps://a@mail.example")
			more["SUPPORTDESK_IMAP_PASSWORD_"+strings.ToUpper(name)] = "secret"
		}
		c, err := load(imapSettings(strings.Join(entries, ","), more))
		if valid && (err != nil || len(c.ParsedIMAP) != n) || !valid && (err == nil || !strings.Contains(err.Error(), "SUPPORTDESK_IMAP_MAILBOXES names 17 mailboxes; at most 16")) {
			t.Errorf("%d mailboxes: %v", n, err)
		}
	}
}

func TestLoad_validatesTheSecretOfRelays(t *testing.T) {
	for secret, valid := range map[string]bool{"": true, "0123456789abcde": false, "0123456789abcdef": true} {
		_, err := load(map[string]string{"SUPPORTDESK_MAIL_ADDRESSES": "support@desk.example", "SUPPORTDESK_INCOMING_HTTP_SECRET": secret})
		if (err == nil) != valid {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
