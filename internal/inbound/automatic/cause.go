package automatic

import (
	"regexp"
	"strings"

	"github.com/holesalemart/supportdesk/internal/text"
)

// Cause is why a mail was not delivered.
type Cause string

// Causes. Unknown users and unknown domains are about the address; the others may be over when the next mail is sent.
const (
	UnknownUser   Cause = "unknown user"
	UnknownDomain Cause = "unknown domain"
	MailboxFull   Cause = "mailbox full"
	TooLarge      Cause = "mail too large"
	Refused       Cause = "refused for its sender, contents or origin"
	Limited       Cause = "rate limit or greylisting"
	Unreachable   Cause = "server not reachable"
	RoutingLoop   Cause = "routing loop"
	OtherCause    Cause = "other"
)

// phrases are what servers say, in lower case, by the cause. The first that is found decides: what says most about the
// address comes first, since servers use general codes such as 5.7.1 and 5.0.0 for everything.
var phrases = []struct {
	cause Cause
	said  *regexp.Regexp
}{
	{MailboxFull, regexp.MustCompile(`full mailbox|quota violation|mailbox (is )?(full|exceeds|over|size limit)|(over|exceed\w*|out of) (\w+ ){0,4}quota|quota (\w+ )?exceed|over ?quota|mailfull|user is over|storage (allocation|limit)|not enough (storage|disk) space|mail ?box size|too many messages in|inbox is full|boîte .{0,20}pleine|(postfach|mailbox|inbox|postvak) .{0,20}(voll|vol)\b|buz[oó]n .{0,20}llen[oa]|casella .{0,20}piena|caixa .{0,20}cheia|переполнен|skrzynk\S* .{0,30}(pełna|przepełnion)|メールボックスが.{0,6}(一杯|いっぱい)|邮箱.{0,10}已?满|信箱.{0,10}已?滿|容量(不足|を超|オーバー)`)},
	{UnknownUser, regexp.MustCompile(`recipient address rejected: access denied`)}, // Exchange Online of unknown recipients, Postfix of blocked ones
	{UnknownDomain, regexp.MustCompile(`(account or )?domain may not exist`)},
	{Limited, regexp.MustCompile(`gr[ae]y ?list|too many (connections|messages|recipients|mails)|rate limit|rate that|throttl|try again later|receiving mail at a rate|temporarily deferred|too (fast|frequent)`)},
	{Refused, regexp.MustCompile(`sender address rejected|after mail from|sender verify failed|sender domain|\[mail_from\]|unauthenticated email|authentication level|dmarc|\bspf\b|\bspam\b|spamhaus|dnsbl|\brbl\b|blacklist|blocklist|block list|blocked|banned|virus|reputation|does not accept mail from|reverse dns|ptr record|bad sender|sender denied|content (filter|reject)|header error|access denied|mail rej|policy|sender rejected|unauthenticated senders|address is not verified|not allowed|mismatch\w* client|duplicate header|protocol violation|message (was )?(rejected|filtered)|weren't sent|relaying? (access )?denied|unable to relay|requires confirmation|not accept(ed|ing) (mail|here)`)},
	{UnknownUser, regexp.MustCompile(`malformed (address|local part)|incorrectly\s+constructed`)}, // Exim of recipients
	{UnknownUser, regexp.MustCompile(`user (is )?(unknown|not found|doesn'?t exist|does not exist|not listed)|unknown (or illegal|user|recipient|local|account|alias|(e-?mail )?address)|no such (user|recipient|mailbox|account|person|address)|(user|recipient|mailbox|account|address|e-?mail|userid) .{0,120}(unknown|not found|doesn'?t exist|does not exist|not exist|unavailable|disabled|inactive|deactivated|has been closed|suspended|invalid)|invalid (recipient|address|user|mailbox|final delivery)|recipient not (found|exist)|recip(ient)?notfound|(no|not a) (valid )?(mailbox|recipients?)\b|not (a|our) (registered|customer)|user +not +listed|not listed in (public|domino)|bad destination (mailbox|address)|mailbox (not found|unavailable|name not)|address rejected: (user|undeliverable|unknown)|no mailbox here|not our customer|does not have an? \S+ account|this account (has been|is) (disabled|closed|terminated)|couldn't be found|wasn't found|cannot be found|has moved|no longer (valid|works|in use|available|with)|not a known user|user not known|no account by that name|no mail ?box available for|doesn't have an? \S+ account|bad_recipient|expirado por falta de uso`)},
	{UnknownUser, unknownAbroad},
	{UnknownDomain, regexp.MustCompile(`host (\S+ )?(is )?(unknown|not found)|unknown (host|domain)|domain (name )?(does not|doesn't) exist|domain not found|(couldn't|could not|unable to) find any host|nxdomain|name or service not known|no such (domain|host)|bad destination (host|system)|no (valid )?mx|null ?mx|does not accept (e-?)?mail|accepts? no mail|unrouteable address|unrouteable mail domain|no smtp service|domain .{0,60}(does not exist|not found)`)},
	{TooLarge, regexp.MustCompile(`(message|mail) (size|length|is too|too)|too (large|big)|exceeds (the )?(maximum|administrative|size)|size limit`)},
	{RoutingLoop, regexp.MustCompile(`hop count|mail loop|loops? back|routing loop|too many hops|too many received|message looping`)},
	{Unreachable, regexp.MustCompile(`connect|computer was not reachable|did not respond|hosts have been failing|timed? ?out|time-?out|unreachable|no route|host name lookup|name server|lookup fail|dns|deferred|in the queue too long|expired|retry time|ldap|service (currently )?unavailable|system resources|internal system error`)},
	{Refused, regexp.MustCompile(`(after|in reply to|command) (the )?(end of )?data|end of data|in reply to mail from|line limit`)},
}

// unknownAbroad is what servers say of unknown users in other languages: Japanese, Chinese, Korean, German, French, Spanish,
// Italian, Portuguese, Dutch, Russian and Polish.
//
//nolint:misspell // they are not English
var unknownAbroad = regexp.MustCompile(`宛先.{0,20}見つから|存在しません|リストにありません|ユーザー?が.{0,6}不明|(用户|收件人|邮箱|地址|帐号|账号).{0,20}不存在|(使用者|收件者|信箱|帳號).{0,20}不存在|존재하지 않는` +
	`|unbekannter? (empfänger|benutzer|adresse)` +
	`|(empfänger|benutzer|postfach|adresse|konto|mailbox)\b.{0,60}(unbekannt|nicht gefunden|existiert nicht|nicht vorhanden|nicht aufgeführt|ungültig)` +
	`|(destinataire|utilisateur|boîte|adresse|compte)\b.{0,60}(inconnue?|introuvable|n.existe pas|invalide)` +
	`|(usuario|destinatario|buz[oó]n|direcci[oó]n|cuenta)\b.{0,60}(desconocid|no existe|no encontrad|no se encontr)` +
	`|(utente|destinatario|casella|indirizzo)\b.{0,60}(sconosciut|inesistente|non esiste|non trovat)` +
	`|(usu[aá]rio|destinat[aá]rio|caixa|endere[cç]o|conta)\b.{0,60}(desconhecid|inexistente|n[aã]o existe|n[aã]o encontrad)` +
	`|(gebruiker|ontvanger|adres|postvak)\b.{0,60}(onbekend|niet gevonden|bestaat niet)` +
	`|(пользовател|получател|ящик|адрес).{0,60}(не найден|не существует|неизвест|недействител|отключ[её]н)` +
	`|(użytkownik|odbiorca|skrzynka|adres)\b.{0,60}(nieznan|nie istnieje)`)

// temporaryLookup are failures to look a domain up, which say nothing about whether it exists.
var temporaryLookup = regexp.MustCompile(`host name lookup failure|try again|temporary (lookup|failure)|soa|servfail`)

// byStatus are the causes of enhanced status codes without their class.
var byStatus = map[string]Cause{
	"1.0": UnknownUser, "1.1": UnknownUser, "1.2": UnknownDomain, "1.3": UnknownUser, "1.4": UnknownUser, "1.6": UnknownUser,
	"1.10": UnknownDomain, "2.1": UnknownUser, "2.2": MailboxFull, "2.3": TooLarge, "3.4": TooLarge,
	"1.7": Refused, "1.8": Refused, "3.2": Refused, "4.1": Unreachable, "4.2": Unreachable, "4.3": Unreachable, "4.4": UnknownDomain,
	"3.5": Unreachable, "4.0": Unreachable, "4.5": Limited, "4.6": RoutingLoop, "4.14": RoutingLoop, "4.7": Unreachable,
}

// specific are codes that decide before any words: servers do not use them for anything else.
var specific = map[string]bool{"1.1": true, "1.2": true, "1.3": true, "1.8": true, "2.2": true, "2.3": true, "3.4": true}

var (
	listed     = regexp.MustCompile(`black-?list|block-?list`) // which a server may answer to a recipient
	replyCode  = regexp.MustCompile(`(?:^|[^\d.])([45]\d\d)(?:[^\d.]|$)`)
	generalEnd = regexp.MustCompile(`\.0\.0$`)
)

// judged completes a recipient: its status, its cause and whether the failure is hard. Words are further words of the
// report about this recipient.
func judged(r BouncedRecipient, words string) BouncedRecipient {
	r.Diagnostic = text.Truncate(text.Line(beforeCopy(r.Diagnostic)), maxDiagnostic)
	said := text.Truncate(strings.ToLower(r.Diagnostic+" "+words), 4*maxDiagnostic)
	if r.Status == "" || generalEnd.MatchString(r.Status) {
		if code := lastStatus(said); code != "" {
			r.Status = code
		}
	}
	r.Cause = causeOf(r.Status, said)
	r.Hard = r.Action == Failed && hard(r.Cause, class(r.Status, said))
	return r
}

// lastStatus returns the last status that says more than that something failed.
func lastStatus(said string) string {
	found := ""
	for _, code := range statusCode.FindAllString(said, 20) {
		if found == "" || !generalEnd.MatchString(code) {
			found = code
		}
	}
	return found
}

func causeOf(status, said string) Cause {
	_, detail, _ := strings.Cut(status, ".")
	if specific[detail] && !(detail == "1.1" && (phrases[0].said.MatchString(said) || listed.MatchString(said))) {
		return byStatus[detail]
	}
	for _, p := range phrases {
		if p.said.MatchString(said) && !(p.cause == UnknownDomain && temporaryLookup.MatchString(said)) {
			return p.cause
		}
	}
	if strings.HasPrefix(detail, "6.") || strings.HasPrefix(detail, "7.") { // contents and policy, not the address
		return Refused
	}
	if cause, known := byStatus[detail]; known {
		return cause
	}
	return OtherCause
}

// class returns the class of a failure, '4' or '5', from its status or the reply of the server; 0: it isn't known.
func class(status, said string) byte {
	if status != "" {
		return status[0]
	}
	if code := replyCode.FindStringSubmatch(said); code != nil {
		return code[1][0]
	}
	return 0
}

// hard decides by the cause where the class is permanent or unknown. A permanent failure of a cause that isn't known is
// hard, one of no known class is not.
func hard(cause Cause, class byte) bool {
	switch {
	case class == '4':
		return false
	case cause == UnknownUser || cause == UnknownDomain:
		return true
	default:
		return cause == OtherCause && class == '5'
	}
}
