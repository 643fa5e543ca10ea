package automatic_test

import (
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

// with returns a person's mail with other headers, "Name: value", and what is read of them.
func with(headers ...string) automatic.Mail {
	m := person("Hello, it doesn't work.")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		value = strings.TrimSpace(value)
		switch name {
		case "From":
			m.Header.Del(name)
			m.From = []mail.Address{{Address: value}}
		case "Reply-To":
			m.ReplyTo = []mail.Address{{Address: value}}
		case "Subject":
			m.Subject = value
		case "In-Reply-To":
			m.InReplyTo = []string{strings.Trim(value, "<>")}
		case "References":
			m.References = strings.Fields(strings.NewReplacer("<", "", ">", "").Replace(value))
		case "Return-Path":
			m.ReturnPath = strings.Trim(value, "<>")
		}
		m.Header[textproto.CanonicalMIMEHeaderKey(name)] = append(m.Header.Values(name), value)
	}
	return m
}

func TestClassify_byHeaders(t *testing.T) {
	answer := "In-Reply-To: <sent-1@example.org>"
	exchange := []string{"Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", answer}
	for name, test := range map[string]struct {
		headers  []string
		kind     automatic.Kind
		noAnswer bool
	}{
		"a person":                          {nil, automatic.Person, false},
		"Auto-Submitted: no":                {[]string{"Auto-Submitted: no"}, automatic.Person, false},
		"Auto-Submitted with a comment":     {[]string{"Auto-Submitted: No (a person)"}, automatic.Person, false},
		"Gmail's vacation responder":        {[]string{"Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes", answer}, automatic.AutoReply, true},
		"Exchange's automatic reply":        {append(exchange, "Subject: Automatic reply: Your request"), automatic.AutoReply, true},
		"Exchange's without Auto-Submitted": {[]string{"X-Auto-Response-Suppress: All", "Subject: Automatische Antwort: Ihre Anfrage"}, automatic.AutoReply, true},
		"Exchange's rules":                  {[]string{"X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent"}, automatic.AutoReply, true},
		"a redirecting rule of Exchange":    {[]string{"X-MS-Exchange-Inbox-Rules-Loop: jane@example.com"}, automatic.Person, false},
		"Domino's":                          {[]string{"Auto-Submitted: auto-generated", "Subject: Jane Doe is out of the office"}, automatic.AutoReply, true},
		"RFC 3834 with a parameter":         {[]string{"Auto-Submitted: auto-replied; owner-email=\"jane@example.com\""}, automatic.AutoReply, true},
		"cPanel's":                          {[]string{"Precedence: auto_reply", "X-Autorespond: Your request"}, automatic.AutoReply, true},
		"Precedence: auto-reply":            {[]string{"Precedence: auto-reply"}, automatic.AutoReply, true},
		"vacation(1)":                       {[]string{"Precedence: junk", answer, "Subject: away from my mail"}, automatic.AutoReply, true},
		"procmail's":                        {[]string{"X-Loop: jane@example.com", "Precedence: junk", answer}, automatic.AutoReply, true},
		"a forwarder's X-Loop":              {[]string{"X-Loop: jane@example.com"}, automatic.Person, false},
		"OTRS's":                            {[]string{"X-Loop: yes", "Precedence: bulk"}, automatic.AutoReply, true},
		"Zendesk's":                         {[]string{"X-Zendesk-From-Account-Id: 1", "Auto-Submitted: auto-generated"}, automatic.AutoReply, true},
		"an agent of another desk":          {[]string{"X-Mailer: OTRS Mail Service (8.0)"}, automatic.Person, true},
		"an agent of another Supportdesk":   {[]string{automatic.DeskHeader + ": help@example.net"}, automatic.Person, true},
		"our own header":                    {[]string{automatic.DeskHeader + ": support@example.org"}, automatic.Loop, true},
		"our own address":                   {[]string{"From: Support@Example.org"}, automatic.Loop, true},
		"our own X-Loop":                    {[]string{"X-Loop: support@example.org"}, automatic.Loop, true},
		"a form of our website":             {[]string{"From: support@example.org", "Reply-To: jane@example.com"}, automatic.Person, true},
		"a program of our website":          {[]string{"From: support@example.org", "Reply-To: jane@example.com", "Auto-Submitted: auto-generated"}, automatic.Loop, true},
		"our receipt that comes back":       {[]string{"From: support@example.org", "Reply-To: support+t@example.org", "Auto-Submitted: auto-replied"}, automatic.Loop, true},
		"a mailing list":                    {[]string{"List-Id: Cats <cats.lists.example.net>", "Precedence: list"}, automatic.List, true},
		"an old list that answers":          {[]string{"Precedence: list", answer}, automatic.List, true},
		"a list that answers":               {[]string{"List-Id: Cats <cats.lists.example.net>", "Precedence: list", answer}, automatic.List, true},
		"a newsletter":                      {[]string{"List-Unsubscribe: <https://example.net/u>"}, automatic.List, true},
		"an answer of a sales program":      {[]string{"List-Unsubscribe: <https://example.net/u>", answer}, automatic.Person, true},
		"iCloud's":                          {[]string{"X-Apple-Action: VACATION/1"}, automatic.AutoReply, true},
		"mass mail":                         {[]string{"Precedence: Bulk"}, automatic.List, true},
		"our Google group":                  {[]string{"List-Id: <support.example.org>", "Precedence: list", "Mailing-List: list support@example.org; contact support+owners@example.org", "List-Unsubscribe: <https://groups.google.com/u>"}, automatic.Person, false},
		"our group by List-Post":            {[]string{"List-Post: <mailto:support@example.org>", "Precedence: list"}, automatic.Person, false},
		"a reply through our Google group":  {[]string{"List-Id: <support.example.org>", "Precedence: list", answer}, automatic.Person, false},
		"our group that rewrites From":      {[]string{"List-Id: <support.example.org>", "From: support@example.org", "Reply-To: jane@example.com"}, automatic.Person, false},
		"our address with a tag":            {[]string{"From: support+t1@example.org"}, automatic.Loop, true},
		"a machine in our Google group":     {[]string{"List-Id: <support.example.org>", "Precedence: list", "Auto-Submitted: auto-replied"}, automatic.AutoReply, true},
		"Exchange's distribution list":      {[]string{"X-Auto-Response-Suppress: DR, OOF, AutoReply"}, automatic.Person, false},
		"X-Auto-Response-Suppress: All":     {[]string{"X-Auto-Response-Suppress: All"}, automatic.Person, true},
		"X-Autoreply: no":                   {[]string{"X-Autoreply: no"}, automatic.Person, false},
		"an empty return path":              {[]string{"Return-Path: <>"}, automatic.AutoReply, true},
		"a mailer daemon":                   {[]string{"From: MAILER-DAEMON@example.com"}, automatic.AutoReply, true},
		"a postmaster who writes":           {[]string{"From: postmaster@example.com", "Subject: Your mails are not delivered to us"}, automatic.Person, false},
		"noreply":                           {[]string{"From: no-reply@example.com"}, automatic.Person, true},
		"noreply for a person":              {[]string{"From: no-reply@example.com", "Reply-To: jane@example.com"}, automatic.Person, false},
		"a read receipt":                    {[]string{`Content-Type: multipart/report; boundary=x; report-type=disposition-notification`}, automatic.AutoReply, true},
		"a calendar reply":                  {[]string{`Content-Type: text/calendar; charset=utf-8; method=REPLY`}, automatic.AutoReply, true},
		"an invitation":                     {[]string{`Content-Type: text/calendar; charset=utf-8; method=REQUEST`}, automatic.Person, false},
		"a report of DMARC":                 {[]string{"Subject: Report Domain: example.org Submitter: example.com Report-ID: 1"}, automatic.AutoReply, true},
		"cron":                              {[]string{"X-Cron-Env: <SHELL=/bin/sh>"}, automatic.AutoReply, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := with(test.headers...)
			if slices.Contains(test.headers, "Return-Path: <>") {
				m.EnvelopeEmpty = true
			}
			v := automatic.Classify(m)
			if v.Kind != test.kind || v.NoAnswer != test.noAnswer {
				t.Errorf("it is a %s (%s), never answered: %v; want %s, %v", v.Kind, v.Reason, v.NoAnswer, test.kind, test.noAnswer)
			}
			if (v.Kind != automatic.Person || v.NoAnswer) && v.Reason == "" {
				t.Error("it has no reason")
			}
		})
	}
}

func TestClassify_bySubject(t *testing.T) {
	machine := []string{
		"Automatic reply: Your request", "Automatische Antwort: Ihre Anfrage", "Réponse automatique : Votre demande", "Respuesta automática: Su consulta",
		"Resposta automática: O seu pedido", "Risposta automatica: La sua richiesta", "Automatisch antwoord: Uw vraag", "Autosvar: Din fråga", "Automatiskt svar: Din fråga",
		"Automaattinen vastaus: Kysymys", "Odpowiedź automatyczna: Pytanie", "Automatická odpověď: Dotaz", "Automatikus válasz: Kérdés", "Răspuns automat: Cerere",
		"Автоматический ответ: Вопрос", "Автоматична відповідь: Запит", "Αυτόματη απάντηση: Αίτημα", "Otomatik Yanıt: Talep", "自動応答: お問い合わせ", "自动答复: 问题", "자동 회신: 문의",
		"תשובה אוטומטית: בקשה", "رد تلقائي: طلب",
		"Out of Office: Re: Your request", "Abwesenheitsnotiz: AW: Ihre Anfrage", "Urlaub Re: Ihre Anfrage", "Frånvarande: SV: fråga",
	}
	for _, subject := range machine {
		if v := automatic.Classify(with("Subject:"+subject, "In-Reply-To: <sent-1@example.org>")); v.Kind != automatic.AutoReply {
			t.Errorf("%q in answer to a mail is a %s", subject, v.Kind)
		}
		if v := automatic.Classify(with("Subject:" + subject)); v.Kind != automatic.Person || !v.NoAnswer {
			t.Errorf("%q alone is a %s, never answered: %v", subject, v.Kind, v.NoAnswer)
		}
		if v := automatic.Classify(with("Subject: Re: "+subject, "In-Reply-To: <sent-1@example.org>")); v.Kind != automatic.Person || v.NoAnswer {
			t.Errorf("a person's answer to %q is a %s", subject, v.Kind)
		}
	}
	for _, subject := range []string{"Out of Office: Your request", "Abwesenheitsnotiz: Ihre Anfrage", "Absence du bureau", "Fuera de la oficina: consulta", "Urlaub", "Jane Doe is out of the office.", "Frånvarande: fråga", "不在通知"} {
		if v := automatic.Classify(with("Subject:"+subject, "In-Reply-To: <sent-1@example.org>")); v.Kind != automatic.Person || !v.NoAnswer {
			t.Errorf("%q is a %s, never answered: %v", subject, v.Kind, v.NoAnswer)
		}
		if v := automatic.Classify(with("Subject:"+subject, "X-Auto-Response-Suppress: All")); v.Kind != automatic.AutoReply {
			t.Errorf("%q with Exchange's header is a %s", subject, v.Kind)
		}
	}
	for _, subject := range []string{"I am out of office next week, please call", "How do I set up an automatic reply?", "Automatic reply doesn't work", "Problem with out of office", "Urlaubsantrag geht nicht", "Undelivered mail", "Failure notice on our website", "Delivery failed: where is my parcel?"} {
		if v := automatic.Classify(with("Subject:"+subject, "In-Reply-To: <sent-1@example.org>")); v.Kind != automatic.Person || v.NoAnswer {
			t.Errorf("%q is a %s (%s), never answered: %v", subject, v.Kind, v.Reason, v.NoAnswer)
		}
	}
}

func TestClassify_readsReceiptsAndCalendarReplies(t *testing.T) {
	m := with("Content-Type: multipart/report; boundary=b")
	m.Reports = []message.Report{{Type: "message/disposition-notification", Body: []byte("Original-Message-ID: <sent-1@example.org>\nDisposition: manual-action/MDN-sent-manually; displayed\n")}}
	if v := automatic.Classify(m); v.Kind != automatic.AutoReply || !slices.Equal(v.OriginalMessageIDs, []string{"sent-1@example.org"}) {
		t.Errorf("a receipt is %+v", v)
	}
	m = with("Subject: Zugesagt: Termin")
	m.Files = []message.File{{Type: "text/calendar"}}
	if v := automatic.Classify(m); v.Kind != automatic.AutoReply {
		t.Errorf("a calendar reply is %+v", v)
	}
	if v := automatic.Classify(with("Subject: Accepted: your offer")); v.Kind != automatic.Person || v.NoAnswer {
		t.Errorf("a person who accepts something is %+v", v)
	}
	m = with("Subject: Termin")
	m.Files = []message.File{{Type: "text/calendar"}}
	if v := automatic.Classify(m); v.Kind != automatic.Person {
		t.Errorf("an invitation is %+v", v)
	}
}

func TestClassify_readsNotificationsOfSES(t *testing.T) {
	m := with("X-Amz-Sns-Message-Id: 1", "From: no-reply@sns.example.com")
	m.Text = `{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"jane@example.com","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{"commonHeaders":{"messageId":"<sent-1@example.org>"},"headers":[]}}

-- unsubscribe`
	v := automatic.Classify(m)
	if v.Kind != automatic.Bounce || len(v.Bounces) != 1 || !v.Bounces[0].Hard || v.Bounces[0].Address != jane || !slices.Equal(v.OriginalMessageIDs, []string{"sent-1@example.org"}) {
		t.Errorf("got %+v", v)
	}
	m.Text = `{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"jane@example.com"}],"complaintFeedbackType":"abuse"},"mail":{"headers":[{"name":"Message-ID","value":"<sent-1@example.org>"}]}}`
	if v := automatic.Classify(m); v.Kind != automatic.Complaint || v.Feedback != "abuse" || !slices.Equal(v.OriginalTo, []string{jane}) || !slices.Equal(v.OriginalMessageIDs, []string{"sent-1@example.org"}) {
		t.Errorf("got %+v", v)
	}
}

// Sendmail breaks lines of more than 990 bytes, and some topics send the fields of the notification service as well.
func TestClassify_readsNotificationsOfSESWithWhatOthersAdd(t *testing.T) {
	const notice = `{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"jane@exam` + "!\n " + `ple.com","action":"failed","status":"5.1.1"}]},"mail":{"headers":[{"name":"Message-ID","value":"<sent-1@example.org>"}]}}`
	m := with("X-Amz-Sns-Message-Id: 1", "From: no-reply@sns.example.com")
	for _, text := range []string{notice, `{"Type":"Notification","Message":"` + strings.ReplaceAll(notice, `"`, `\"`) + `","Signature":"x"}`} {
		m.Text = text
		v := automatic.Classify(m)
		if v.Kind != automatic.Bounce || len(v.Bounces) != 1 || v.Bounces[0].Address != jane || !slices.Equal(v.OriginalMessageIDs, []string{"sent-1@example.org"}) {
			t.Errorf("%s is %+v", text, v)
		}
	}
}

// Shops write from mailboxes that are not read, too.
func TestClassify_takesNoParcelForABounce(t *testing.T) {
	m := with("From: no-reply@parcels.example")
	m.Text = "Dear Jane,\nyour parcel wasn't delivered to you. We will try again tomorrow.\nQuestions? Write to help@parcels.example.\n"
	if v := automatic.Classify(m); v.Kind != automatic.Person {
		t.Errorf("it is a %s (%s)", v.Kind, v.Reason)
	}
}

func TestClassify_takesAPersonWhoComplainsForAPerson(t *testing.T) {
	m := with("Subject: Complaint about message from your agent")
	m.Reports = []message.Report{{Type: "message/rfc822", Body: []byte("From: support@example.org\nMessage-ID: <sent-1@example.org>\n")}}
	if v := automatic.Classify(m); v.Kind != automatic.Person || v.NoAnswer {
		t.Errorf("got %+v", v)
	}
}

func TestClassify_readsComplaints(t *testing.T) {
	m := with("From: feedback@example.net", "Content-Type: multipart/report; boundary=b; report-type=feedback-report")
	m.Reports = []message.Report{
		{Type: "message/feedback-report", Body: []byte("Feedback-Type: abuse\nUser-Agent: Test/1\nVersion: 1\nOriginal-Rcpt-To: <jane@example.com>\n")},
		{Type: "message/rfc822", Body: []byte("From: support@example.org\nTo: Jane <jane@example.com>\nMessage-ID:\n <sent-1@example.org>\n")},
	}
	v := automatic.Classify(m)
	if v.Kind != automatic.Complaint || v.Feedback != "abuse" || !slices.Equal(v.OriginalMessageIDs, []string{"sent-1@example.org"}) || !slices.Equal(v.OriginalTo, []string{jane}) {
		t.Errorf("got %+v", v)
	}
}

// Mail programs attach the parts of a report that a person forwards to the mail.
func TestClassify_takesPeopleWhoForwardReportsForPeople(t *testing.T) {
	dsn := fixture(t, "dsn")
	for _, kind := range []string{"message/delivery-status", "message/feedback-report", "message/disposition-notification"} {
		m := with("Content-Type: multipart/mixed; boundary=b", "Subject: Fwd: Delivery report")
		m.Reports = []message.Report{{Type: kind, Body: append([]byte("Feedback-Type: abuse\n"), dsn.Reports[0].Body...)}}
		if v := automatic.Classify(m); v.Kind != automatic.Person || v.NoAnswer {
			t.Errorf("with a %s it is a %s (%s)", kind, v.Kind, v.Reason)
		}
	}
}

// A vacation program sends with an empty return path, and what a person has it say may sound like a report.
func TestClassify_takesNoAbsenceForABounce(t *testing.T) {
	m := with("Auto-Submitted: auto-replied", "In-Reply-To: <sent-1@example.org>", "Subject: Automatic reply: Your request")
	m.Text = "I left the company. Your mail cannot be delivered to me:\njane@example.com\nPlease write to joe@example.com."
	m.EnvelopeEmpty, m.ReturnPath = true, ""
	if v := automatic.Classify(m); v.Kind != automatic.AutoReply {
		t.Errorf("it is a %s (%s)", v.Kind, v.Reason)
	}
}

func TestClassify_returnsTheWriter(t *testing.T) {
	list := "List-Id: <support.example.org>"
	for want, m := range map[string]automatic.Mail{
		jane:              with(),
		"joe@example.com": with(list, "From: support@example.org", "Reply-To: joe@example.com"),
		"ann@example.com": with(list, "From: support@example.org", "Reply-To: support@example.org", "X-Original-From: Ann <ann@example.com>"),
		"bob@example.com": with("From: support@example.org", "Reply-To: bob@example.com"),
	} {
		if v := automatic.Classify(m); v.Kind != automatic.Person || v.Writer != want {
			t.Errorf("the writer is %q (%s: %s), want %s", v.Writer, v.Kind, v.Reason, want)
		}
	}
}
