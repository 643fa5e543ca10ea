package automatic

import (
	"regexp"
	"strings"

	"github.com/holesalemart/supportdesk/internal/text"
)

// receipt finds the receipts of people's mail programs (RFC 8098).
func (m Mail) receipt() (Verdict, bool) {
	for _, part := range m.Reports {
		if m.isReport() && strings.HasSuffix(part.Type, "disposition-notification") {
			return Verdict{Kind: AutoReply, Reason: "read receipt (" + part.Type + ")"}, true
		}
	}
	if reportOf.MatchString(m.header("Content-Type")) {
		return Verdict{Kind: AutoReply, Reason: "read receipt (report-type=disposition-notification)"}, true
	}
	return Verdict{}, false
}

var reportOf = regexp.MustCompile(`(?i)^multipart/report\b.*\breport-type="?disposition-notification\b`)

// calendarReply finds the answers to invitations that calendars send when a person presses a button.
func (m Mail) calendarReply() (Verdict, bool) {
	if contentType := m.header("Content-Type"); replyMethod.MatchString(contentType) {
		return Verdict{Kind: AutoReply, Reason: "calendar reply (" + contentType + ")"}, true
	}
	calendar := false
	for _, part := range m.Reports {
		if part.Type == "text/calendar" && replyLine.Match(bounded(part.Body)) {
			return Verdict{Kind: AutoReply, Reason: "calendar reply (METHOD:REPLY)"}, true
		}
	}
	for _, file := range m.Files {
		calendar = calendar || file.Type == "text/calendar" || file.Type == "application/ics"
	}
	if calendar && replySubject.MatchString(m.Subject) {
		return Verdict{Kind: AutoReply, Reason: "calendar reply (subject " + m.Subject + ")"}, true
	}
	return Verdict{}, false
}

var (
	replyMethod  = regexp.MustCompile(`(?i)^text/calendar\b.*\bmethod="?reply\b`)
	replyLine    = regexp.MustCompile(`(?im)^METHOD:REPLY\s*$`)
	replySubject = regexp.MustCompile(`(?i)^(accepted|tentative|tentatively accepted|declined|zugesagt|angenommen|mit vorbehalt|abgelehnt|abgesagt|accepté|provisoire|refusé|aceptado|aceptada|provisional|rechazado|rechazada|accettato|accettata|rifiutato|aceito|aceite|recusado|geaccepteerd|voorlopig|geweigerd|accepterat|avböjt|godtatt|avslått|accepteret|afvist|hyväksytty|hylätty|zaakceptowano|zaakceptowane|odrzucono|přijato|odmítnuto|принято|отклонено|承諾|仮承諾|辞退|已接受|已拒绝|수락됨|거절됨)\s*[:：]`)
)

// The subjects of automatic replies, as mail programs write them before a colon and the subject that they answer. Words that
// people may begin a subject with as well are apart.
var (
	replyPrefix = regexp.MustCompile(`(?i)^\s*\[?(automatic reply|auto[- ]?reply|auto[- ]response|automated (reply|response)|automatische antwort|automatische antwoord|automatisch antwoord|automatische rückantwort|réponse automatique|respuesta automática|resposta automática|risposta automatica|autosvar|automatiskt svar|automatisk svar|automaattinen vastaus|autom\. antwort|odpowiedź automatyczna|automatyczna odpowiedź|autoodpowiedź|automatická odpověď|automatická odpoveď|automatikus válasz|răspuns automat|automatski odgovor|samodejni odgovor|автоматический ответ|автоматична відповідь|автоответ|автовідповідь|автоматичен отговор|αυτόματη απάντηση|otomatik yanıt|自動応答|自動返信|自動回覆|自动答复|自动回复|자동 회신|자동 응답|תשובה אוטומטית|מענה אוטומטי|رد تلقائي|ตอบกลับอัตโนมัติ|trả lời tự động|balasan otomatis)\s*(\]\s*[:：]?|[:：])`)
	absence     = regexp.MustCompile(`(?i)^\s*(auto|out of (the )?office( autoreply)?|away from my mail|vacation (reply|message|notice)|on vacation|abwesenheits(notiz|nachricht|meldung|assistent)|abwesend|nicht im büro|urlaub|absence du bureau|absent du bureau|message d'absence|fuera de (la )?oficina|ausente|fora do escritório|ausência temporária|fuori (sede|ufficio)|assente|afwezig(heid(sassistent)?)?|niet op kantoor|frånvaro(meddelande)?|frånvarande|ikke til stede|fravær|fraværende|poissa( toimistosta)?|poza biurem|nieobecn\S*|nieobecność|mimo kancelář|nepřítomnost|házon kívül|вне офиса|нет на месте|отсутствие|ofis dışında|不在(通知|のお知らせ)?|外出(通知|中)?|부재 중)(\s*[:：-]|\s*$|\s+re:)|^.{1,80} is out of the office\.?( \(returning .{1,60}\))?\s*$|^.{1,80} est absent\(e\)\.?\s*$|^.{1,80} ist außer haus\.?\s*$`)
	answered    = regexp.MustCompile(`(?i)^[^:：]{1,60}[:：-]?\s*(re|aw|antw|antwort|sv|vs|rv|rif|res|odp|vá|ynt|atb|回复|回覆|答复)\s*[:：]`)
	notes       = regexp.MustCompile(`(?i)^\s*auto: .{1,120} \(\pL{2,30} (le |am |el |il |op )?\d{1,4}[./-]\d{1,2}[./-]\d{2,4}\.?\)\s*$`)
	aggregate   = regexp.MustCompile(`(?i)^\s*report domain: \S{1,255} submitter: \S{1,255} report-id: `)
)

// subject finds automatic replies whose headers were lost or never set. A subject alone makes no machine: people ask how to set
// up an automatic reply, and write of their holidays. Together with a header of Exchange it does, and what only programs
// write does in a mail that answers another one, as an absence before "Re:" is. "Re:" before it makes it a person's.
func (m Mail) subject() (Verdict, bool) {
	subject := text.Truncate(strings.TrimSpace(m.Subject), maxID)
	if aggregate.MatchString(subject) {
		return Verdict{Kind: AutoReply, Reason: "report of authentication: " + subject}, true
	}
	if notes.MatchString(subject) {
		return Verdict{Kind: AutoReply, Reason: "subject " + subject}, true
	}
	if !replyPrefix.MatchString(subject) && !absence.MatchString(subject) {
		return Verdict{}, false
	}
	reason := "subject " + subject
	if m.has("X-Auto-Response-Suppress") || m.answers() && (replyPrefix.MatchString(subject) || answered.MatchString(subject)) {
		return Verdict{Kind: AutoReply, Reason: reason}, true
	}
	return Verdict{Kind: Person, NoAnswer: true, Reason: reason}, true
}
