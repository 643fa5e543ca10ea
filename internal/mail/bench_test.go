package mail_test

import (
	"testing"

	gomail "github.com/wneessen/go-mail"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// BenchmarkSend stands beside go-mail alone, which sends a mail of the same size that was written beforehand.
func BenchmarkSend(b *testing.B) {
	for name, how := range map[string]behaviour{"clear": {}, "starttls": {startTLS: true}} {
		server := newServer(b, how)
		b.Run(name+"/sender", func(b *testing.B) {
			s := newSender(b, server.config())
			for b.Loop() {
				if err := s.Send(b.Context(), sampleMail(ticket.MailReply)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/bare go-mail, one connection", func(b *testing.B) {
			client, m := bare(b, server)
			if err := client.DialWithContext(b.Context()); err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			for b.Loop() {
				if err := client.Send(m); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/bare go-mail, a connection each", func(b *testing.B) {
			client, m := bare(b, server)
			for b.Loop() {
				if err := client.DialAndSendWithContext(b.Context(), m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	r := newRenderer(b)
	l := sampleMail(ticket.MailReply)
	for b.Loop() {
		if _, err := r.Render(l); err != nil {
			b.Fatal(err)
		}
	}
}

func bare(b *testing.B, s *server) (*gomail.Client, *gomail.Msg) {
	b.Helper()
	policy := gomail.NoTLS
	if s.startTLS {
		policy = gomail.TLSMandatory
	}
	client, err := gomail.NewClient("127.0.0.1", gomail.WithPort(s.port), gomail.WithTLSPolicy(policy))
	if err != nil {
		b.Fatal(err)
	}
	if s.startTLS {
		cfg := clientTLS(s)
		if err := client.SetTLSConfig(cfg); err != nil {
			b.Fatal(err)
		}
	}
	words, err := newRenderer(b).Render(sampleMail(ticket.MailReply))
	if err != nil {
		b.Fatal(err)
	}
	m := gomail.NewMsg()
	if err := m.From("support@holesalemart.example"); err != nil {
		b.Fatal(err)
	}
	if err := m.To("customer@demo.example"); err != nil {
		b.Fatal(err)
	}
	m.Subject(words.Subject)
	m.SetBodyString(gomail.TypeTextPlain, words.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, words.HTML)
	return client, m
}
