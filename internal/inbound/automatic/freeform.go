package automatic

import (
	"regexp"
	"strings"

	"github.com/holesalemart/supportdesk/internal/text"
)

// maxGreeting is how far into a mail the words by which a maker is known may stand. Further down they may be quoted.
const maxGreeting = 3000

// maxWords is how much of a report in words is searched for recipients: many hundred lines.
const maxWords = 64 << 10

// Patterns of lines that name a recipient. The address is the first group.
const address = `[^\s<>"'(),;:\[\]]{1,128}@[^\s<>"'(),;:\[\]]{1,255}`

var (
	alone      = regexp.MustCompile(`(?im)^[ \t]*(?:(?:[*•-]|--)[ \t]*)?"?<?(` + address + `)>?"?[ \t]*:?[ \t]*$`)
	pointed    = regexp.MustCompile(`(?im)^[ \t]*>>>[ \t]*<?(` + address + `)>?[ \t]*<<<`)
	withReason = regexp.MustCompile(`(?im)^[ \t]*(?:c=.{0,200}smtp=)?['"<]?(` + address + `)['">]?;?[ \t]*(?::|\.\.\.|\(|\[|,|[ \t](?:\pL{1,6}[ \t]|on \pL{2,10}, )?\d|[ \t]- | invalid address)`)
	replied    = regexp.MustCompile(`(?im)^[ \t]*[45]\d\d[ \t]+<?(` + address + `)>?\.\.\.`)
	named      = regexp.MustCompile(`(?im)\b(?:recipients?|address(?:es)?|addressed to|delivered to|delivery failed(?: \d+ attempts)?|userid|unknown (?:user|host)|allowed size|permanent errors|empfänger|destinataire|destinatario|mailbox is full|error-for)[ \t]{0,4}:[ \t]{0,20}(?:\[smtp:)?<?(` + address + `)>?`)
	sentTo     = regexp.MustCompile(`(?im)\b(?:mail|message|delivered|deliver|undeliverable|addressed)[ \t]{1,4}to:?[ \t]{1,20}<?(` + address + `)>?`)
	rcptTo     = regexp.MustCompile(`(?im)\brcpt to:[ \t]{0,4}<?(` + address + `)>?`)
	rejected   = regexp.MustCompile(`(?i)\brejected recipient[ \t]{1,4}<(` + address + `)>`)
	ofMailbox  = regexp.MustCompile(`(?i)\bmailbox[ \t]{1,4}<?(` + address + `)>? is\b`)
	madeFrom   = regexp.MustCompile(`(?i)\bgenerated from <?(` + address + `)>?`) // the recipient before it was forwarded
	inHeader   = regexp.MustCompile(`(?im)(?:^|[ \t])to:[ \t]{0,20}<?(` + address + `)>?(?:[ \t]|$)`)
	sentBy     = regexp.MustCompile(`(?i)\bmessage sent by\s{1,10}<?` + address + `>?`) // the sender, and no recipient
)

// general is the name of the maker whose signs are words that people use as well.
const general = "a mail server"

// maker is a mail server that reports in words. Its sign stands, in lower case, near the beginning of the mail.
type maker struct {
	name       string
	sign       *regexp.Regexp
	recipients []*regexp.Regexp // tried in this order
}

// makers are in the order in which they are tried: the last ones use the phrases of many.
var makers = []maker{
	{"qmail", regexp.MustCompile(`this is the (qmail-send program|james mail server)|wasn't able to deliver (your|the following) message|problem with the e-?mail address|unable to deliver your message to the following address`), []*regexp.Regexp{alone, inHeader}},
	{"Exim", regexp.MustCompile(`message (was )?created (automatically )?by mail delivery (software|system)|recipient address(es)? that (was|were)\s+incorrectly\s+constructed`), []*regexp.Regexp{alone, withReason}},
	{"AOL", regexp.MustCompile(`following recipients\s+could not be delivered because they are not\s+accepting mail`), []*regexp.Regexp{alone}}, // often with local parts only
	{"Postfix", regexp.MustCompile(`this is the (postfix|mail system at)|i'm sorry to have to inform you that your message could not`), []*regexp.Regexp{withReason}},
	{"Sendmail", regexp.MustCompile(`transcript of (the )?session follows|addresses had (permanent fatal|transient non-fatal|delivery) (errors|problems)`), []*regexp.Regexp{replied, pointed, alone, withReason}},
	{"Gmail", regexp.MustCompile(`delivery to the following recipients? (failed permanently|has been delayed)|message (not delivered|blocked|delivery incomplete)|wasn't delivered to `), []*regexp.Regexp{alone, sentTo}},
	{"Exchange", regexp.MustCompile(`did not reach (some or all of the intended|the following) recipient|delivery has failed to these recipients|ihre nachricht .{0,60}nicht erreicht|votre message n'a pas été remis|no se pudo entregar`), []*regexp.Regexp{withReason, named, alone}},
	{"SmarterMail", regexp.MustCompile(`could not deliver message to the following recipient`), []*regexp.Regexp{named}},
	{"MailEnable", regexp.MustCompile(`mailenable: message could not be delivered`), []*regexp.Regexp{named}},
	{"MDaemon", regexp.MustCompile(`no such user here\.\s+there is no user by that name`), []*regexp.Regexp{withReason}},
	{"Mimecast", regexp.MustCompile(`could not be delivered(:|\. the problem appears to be)\s+--`), []*regexp.Regexp{alone}},
	{"Notes", regexp.MustCompile(`-{3,} *failure reasons *-{3,}|your message\s+subject: .{0,300}\s+was not delivered to:`), []*regexp.Regexp{alone}},
	{"DragonFly Mail Agent", regexp.MustCompile(`this is the dragonfly mail agent`), []*regexp.Regexp{sentTo}},
	{"OpenSMTPD", regexp.MustCompile(`this is the mailer-daemon, please do not reply`), []*regexp.Regexp{withReason}},
	{"IMail", regexp.MustCompile(`^\s*(invalid final delivery userid|undeliverable to |user mailbox exceeds allowed size|unknown (user|host): |delivery failed \d+ attempts)|(?m:^undeliverable +to \S+@)`), []*regexp.Regexp{named, sentTo}},
	{"MailMarshal", regexp.MustCompile(`could not be delivered because of`), []*regexp.Regexp{alone}},
	{"m-FILTER", regexp.MustCompile(`このメールは送信できませんでした`), []*regexp.Regexp{alone}},
	{"au", regexp.MustCompile(`次のあて先へのメッセージは|each of the following recipients was rejected`), []*regexp.Regexp{named, rcptTo}},
	{"KDDI", regexp.MustCompile(`your mail sent on:? .{0,200}\s+could not be delivered to`), []*regexp.Regexp{named}},
	{"InterScan", regexp.MustCompile(`message from interscan messaging security|(?m:^\s*sent <<< )`), []*regexp.Regexp{sentTo, rcptTo}},
	{"Verizon", regexp.MustCompile(`message could not be delivered to mobile|error message below:\s+[45]\d\d\b`), []*regexp.Regexp{rcptTo}},
	{"Mail.ru", regexp.MustCompile(`ваше письмо не может быть доставлено`), []*regexp.Regexp{rcptTo, alone, ofMailbox}},
	{"WorkMail", regexp.MustCompile(`error occurred while trying to deliver the mail`), []*regexp.Regexp{alone}},
	{"MX", regexp.MustCompile(`we had trouble delivering your message`), []*regexp.Regexp{named, rejected}},
	{"X.400", regexp.MustCompile(`non-delivery (report|notification)|your message was not delivered to`), []*regexp.Regexp{named, alone}},
	{"an MTA", regexp.MustCompile(`this delivery status notification is sent from mta`), []*regexp.Regexp{named}},
	{general, regexp.MustCompile(`(could not|cannot|couldn't|not|unable to) be delivered|unable to deliver|un?deliverable|undelivered mail|delivery (status notification|failure|failed|to the following)|error delivering|returned to sender|returned mail|non remis|unzustellbar|nicht (zugestellt|übermittelt)|failure notice|mail (system )?error|(not|never) (yet )?been delivered|has been postponed|delivery problem|error was detected while processing|no entregado|non consegnat|niet bezorgd|не доставлено|недоставлен|配信できません|送信できませんでした|退信|退件|传输失败|投递失败|无法(投递|送达|传递)|無法(傳遞|遞送|投遞|送達)|전송 실패|배달되지|반송된`),
		[]*regexp.Regexp{named, alone, withReason, rcptTo, rejected, ofMailbox, sentTo}},
}

// goesOn are words of servers that will try again.
var goesOn = regexp.MustCompile(`warning message only|has been delayed|not yet (been )?(delivered|received)|(not|no) need to resend|will (continue|keep) (to try|trying)|will be retried|still (being )?(attempted|trying)|(delivery|message) (is )?delayed|delivery temporarily`)

// freeForm reads the reports of servers that write for people only. Since people quote and forward such words, a report must
// also come from a machine by its envelope or its headers, or through a mailing list. Where only one of these says so, the words must be those of a
// known maker, or stand in the subject too: automatic replies have empty envelopes as well, and postmasters are people. Shops
// write from mailboxes that are not read, so of these the words must also name a recipient and a cause.
func (m Mail) freeForm() (Verdict, bool) {
	server, listed := m.fromDaemon() || m.has("X-Failed-Recipients") || serverMailer.MatchString(m.header("X-Mailer")), m.fromOtherList()
	machine := server || m.empty() || m.fromPostmaster()
	if !machine && !listed && !m.fromNoReply() {
		return Verdict{}, false
	}
	report, _ := returned(m.Text)
	made, known := makerOf(report, m.Subject)
	if made.name == general && !server && !listed && !(m.empty() && signed(made, m.Subject)) {
		return Verdict{}, false
	}
	v := Verdict{Kind: Bounce, Reason: "delivery report in the words of " + made.name}
	if v.Bounces = recipients(report); len(v.Bounces) == 0 {
		v.Bounces = m.fromWords(made, report)
	}
	understood := v.Bounces[0].Address != "" && v.Bounces[0].Cause != OtherCause
	return v, machine && known || m.has("X-Failed-Recipients") || understood
}

// makerOf returns who made a report, by its first words or its subject, and whether anything said that it is one.
func makerOf(report, subject string) (maker, bool) {
	for _, made := range makers {
		if signed(made, report) {
			return made, true
		}
	}
	last := makers[len(makers)-1]
	return last, signed(last, subject)
}

func signed(made maker, words string) bool {
	return made.sign.MatchString(strings.ToLower(text.Truncate(words, maxGreeting)))
}

// fromWords finds the recipients in a report's words, and what is said of each: the words up to the next one. Where nothing was
// understood of these, the whole report decides, since some makers name the reason first.
func (m Mail) fromWords(made maker, report string) []BouncedRecipient {
	report = sentBy.ReplaceAllString(text.Truncate(report, maxWords), "")
	action := Failed
	if goesOn.MatchString(strings.ToLower(text.Truncate(report, maxGreeting) + m.Subject)) {
		action = Delayed
	}
	var all []BouncedRecipient
	for _, found := range append(made.find(report), m.failedHeader(report)...) {
		if len(all) > 0 && found.inHeader || len(all) == maxRecipients {
			break
		}
		recipient := BouncedRecipient{Address: found.address, Action: action, Diagnostic: found.said}
		if from := madeFrom.FindStringSubmatch(found.said); from != nil && bare(from[1]) != "" && bare(from[1]) != found.address {
			recipient.Address, recipient.Final = bare(from[1]), found.address
		}
		r := judged(recipient, "")
		if r.Cause == OtherCause && r.Status == "" && !replyCode.MatchString(found.said) {
			recipient.Diagnostic = report
			r = judged(recipient, "")
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return []BouncedRecipient{judged(BouncedRecipient{Action: action, Diagnostic: report}, "")}
	}
	return all
}

// mention is a place where a report names a recipient.
type mention struct {
	address, said string
	inHeader      bool
}

func (made maker) find(report string) []mention {
	for _, pattern := range made.recipients {
		var all []mention
		places := pattern.FindAllStringSubmatchIndex(report, maxRecipients)
		seen := map[string]bool{}
		for i, place := range places {
			address, end := bare(report[place[2]:place[3]]), len(report)
			if i+1 < len(places) {
				end = places[i+1][0]
			}
			if address != "" && !seen[address] {
				seen[address] = true
				begin := lineStart(report[:place[0]])
				if i > 0 {
					begin = max(begin, places[i-1][1])
				}
				all = append(all, mention{address: address, said: report[begin:end]})
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// lineStart returns the beginning of the line at the end of a text, as a name in a line's middle follows what is said of it: "wasn't
// delivered to bo@example.com".
func lineStart(text string) int { return strings.LastIndexByte(text, '\n') + 1 }

// failedHeader returns the recipients that Exim and Gmail name in a header.
func (m Mail) failedHeader(report string) []mention {
	var all []mention
	for _, value := range m.Header.Values("X-Failed-Recipients") {
		for _, address := range strings.Split(text.Truncate(strings.ToValidUTF8(value, ""), maxText), ",") {
			if address = bare(address); address != "" && len(all) < maxRecipients {
				all = append(all, mention{address: address, said: report, inHeader: len(all) == 0})
			}
		}
	}
	return all
}

// daemon are the mailboxes that mail servers send from.
var daemon = regexp.MustCompile(`(?i)^(mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|mail[-_.]?system|mmsc?[-_.]?(ndr)?|mail-?delivery)([+@.-]|$)`)

// isDaemon reports whether an address is a mail server's.
func isDaemon(address string) bool {
	return daemon.MatchString(strings.Trim(strings.TrimSpace(address), "<>\" "))
}

// serverMailer matches the programs of mail servers that send reports: IMail's.
var serverMailer = regexp.MustCompile(`(?i)^<?smtp32 v`)

var (
	daemonName = regexp.MustCompile(`(?i)mailer[- ]daemon|mail (delivery|administrator)|\binterscan\b|^<>$`)
	postmaster = regexp.MustCompile(`(?i)\bpoo?st[-_.]?master@|^<?"?system administrator\b`)
)

// fromDaemon reports whether the mail says that a mail server sent it.
func (m Mail) fromDaemon() bool {
	for _, a := range m.From {
		if isDaemon(a.Address) {
			return true
		}
	}
	from := m.header("From")
	return isDaemon(from) || daemonName.MatchString(from)
}

// fromPostmaster reports whether the mail comes from a server or a person: postmasters are people too.
func (m Mail) fromPostmaster() bool { return postmaster.MatchString(m.header("From")) }
