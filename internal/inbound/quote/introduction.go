package quote

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	introLines = 8    // lines over which a program wraps the line that introduces a quotation, at most
	introBytes = 500  // and its length
	introTries = 1000 // lines of a mail that are looked at closely; quotations that begin below them are shown
	introStart = 24   // characters within which a date that begins such a line has a digit
)

// Go's regular expressions take linear time; \p{Nd} has the digits of every script.
var (
	year      = regexp.MustCompile(`(^|\P{Nd})(19|20|٢٠|۲۰)\p{Nd}\p{Nd}(\P{Nd}|$)|\p{Nd}{1,2}[./-] ?\p{Nd}{1,2}[./-] ?\p{Nd}{2,4}`)
	clockTime = regexp.MustCompile(`\p{Nd}{1,2}[:.h]\p{Nd}\p{Nd}`)
	address   = regexp.MustCompile(`[^\s<>()\[\]"',:;@]+@[^\s<>()\[\]"',:;@]+`)
	nameAddr  = regexp.MustCompile(`^[^<>:]{0,80}<[^<>]*@[^<>]*(<[^<>]*>)?>$`)
	addrFirst = regexp.MustCompile(`^[^<>:]{0,80}<[^<>]*@[^<>]*>`)
	addrLast  = regexp.MustCompile(`(<[^<>]*@[^<>]*>?>|\([^()]*@[^()]*\)|\S@\S+)$`)
	addrEnd   = regexp.MustCompile(`(<[^<>]*@[^<>]*>?>|\([^()]*@[^()]*\))$`)
	addrDate  = regexp.MustCompile(`^[^<>]{0,80}<[^<>]*@[^<>]*> ?\p{Nd}{4}(年|/|-)`)
	stamp     = regexp.MustCompile(`^\p{Nd}{4}-\p{Nd}\p{Nd}-\p{Nd}\p{Nd} \p{Nd}{1,2}:\p{Nd}\p{Nd} (gmt|utc)[+-]\p{Nd}{1,2}:\p{Nd}\p{Nd} `)
	writtenOn = regexp.MustCompile(` schrieb am (mo|di|mi|do|fr|sa|so)(\p{L}{3,7})?\.?,? .{1,40} um \p{Nd}{1,2}:\p{Nd}\p{Nd}$`) // Yahoo
	firstDate = regexp.MustCompile(`^\p{Nd}{4}[-/.年]\p{Nd}{1,2}|^\p{Nd}{1,2}[./-]\p{Nd}{1,2}[./-]`)
)

// introduction returns the line after the one that introduces a quotation at line i, such as "On Monday, Ada wrote:", which
// may be wrapped; i if there is none. It is strong if the quotation needs no marks.
func (s *splitter) introduction(i int) (end int, strong bool) {
	if s.lines[i].mark == introducing {
		for end = i; end < len(s.lines) && (s.lines[end].mark == introducing || s.lines[end].blank()); {
			end++
		}
		return end, true
	}
	return s.wrapped(i, func(l *line) string { return l.raw })
}

// introducedWithin reports whether the first of marked lines introduces the others.
func (s *splitter) introducedWithin(i int) bool {
	end, _ := s.wrapped(i, func(l *line) string { return l.body })
	return end > i
}

func (s *splitter) wrapped(i int, text func(*line) string) (end int, strong bool) {
	if !mayIntroduce(text(&s.lines[i])) || s.tried >= introTries {
		return i, false
	}
	s.tried++
	joined, blanks := "", 0
	for j := i; j < len(s.lines) && j < i+introLines; j++ {
		l := &s.lines[j]
		open := strings.Count(joined, "<") > strings.Count(joined, ">")
		if l.blank() {
			if blanks++; blanks > 1 {
				break
			}
			continue
		}
		if j > i && l.quoted != s.lines[i].quoted && !open || len(joined)+len(l.raw) > introBytes || l.fenced {
			break
		}
		if joined != "" {
			joined += " "
		}
		joined += text(l)
		s.steps++
		if found, sure := introduces(joined); found {
			if j > i && s.laterStart(i, j, text) {
				break
			}
			return j + 1, sure
		}
		if strings.HasSuffix(joined, ":") && j > i {
			break
		}
	}
	return i, false
}

// laterStart reports whether the introduction that ends at line j begins after line i, which was written then. Programs wrap an
// introduction after its date: what precedes an introduction that is whole without it was written if it has no date or ends a
// sentence or, unless the address alone follows, a paragraph.
func (s *splitter) laterStart(i, j int, text func(*line) string) bool {
	joined := ""
	for k := j; k > i; k-- {
		if s.lines[k].blank() {
			continue
		}
		joined = strings.TrimSpace(text(&s.lines[k]) + " " + joined)
		found, strong := introduces(joined)
		if !found {
			continue
		}
		comma := strings.HasSuffix(text(&s.lines[k-1]), ",")
		if strong && startsLikeDate(strings.ToLower(joined)) && !comma || s.lines[k-1].blank() && joined[0] != '<' || !datedStart(s.lines[i:k], text) {
			return true
		}
	}
	return false
}

// datedStart reports whether lines may be the beginning of an introduction that continues below them.
func datedStart(lines []line, text func(*line) string) bool {
	joined := ""
	for i := range lines {
		joined = strings.TrimSpace(joined + " " + text(&lines[i]))
	}
	return !strings.ContainsAny(joined[max(0, len(joined)-1):], ".!?") && (year.MatchString(joined) || clockTime.MatchString(joined))
}

// mayIntroduce reports whether a line may begin an introduction, at little cost: most lines do not.
func mayIntroduce(text string) bool {
	return text != "" && len(text) <= introBytes &&
		(strings.ContainsAny(text, "@<:：") || strings.HasPrefix(text, "--") || strings.ContainsFunc(text, unicode.IsDigit))
}

// introduces reports whether a whole line introduces a quotation, and whether that is beyond doubt.
func introduces(text string) (found, strong bool) {
	if !strings.ContainsAny(text[max(0, len(text)-6):], ":：>@)") && !strings.HasPrefix(text, "--") && !unicode.IsDigit(rune(text[0])) && !strings.HasSuffix(text, "> wrote") {
		return false, false
	}
	text = strings.ToLower(strings.Map(func(r rune) rune {
		if r == '*' || r == '\t' {
			return ' '
		}
		return r
	}, text))
	dashed := strings.HasPrefix(text, "--") && strings.HasSuffix(text, "--")
	text = strings.Trim(text, "-–— ")
	plain := strings.TrimRight(text, ":： ")
	if plain == text && !dashed {
		if subject, is := cutVerb(plain); is {
			whole := strings.HasPrefix(plain, "on ") && year.MatchString(plain) && clockTime.MatchString(plain) && addrEnd.MatchString(strings.TrimSpace(subject))
			return whole, whole
		}
		return stamp.MatchString(text) || firstDate.MatchString(text) && addrLast.MatchString(text), stamp.MatchString(text)
	}
	dated := year.MatchString(plain) && clockTime.MatchString(plain)
	if subject, is := cutVerb(plain); is {
		subject = strings.TrimSpace(subject)
		return subject != "", nameAddr.MatchString(subject) || certain(plain, subject, dated)
	}
	if before, after, is := cutMiddle(plain); is {
		return dated || year.MatchString(plain) && address.MatchString(plain),
			dated && (strings.TrimSpace(before) == "" || writtenOn.MatchString(plain) || certain(plain, before+" "+firstWord(after), dated))
	}
	bare := dated && (addrEnd.MatchString(plain) && startsLikeDate(plain) || addrDate.MatchString(plain) || strings.HasPrefix(plain, "missatge de "))
	return bare, bare
}

// certain reports whether a line with a verb such as "wrote" was written by a program. A line without an address must also
// differ from "On 7 May 2024 at 10:15 I wrote:" and from a line of a log.
func certain(plain, subject string, dated bool) bool {
	if address.MatchString(plain) {
		some := dated || year.MatchString(plain) || clockTime.MatchString(plain)
		return some && (startsLikeDate(plain) || addrFirst.MatchString(plain) || addrLast.MatchString(subject))
	}
	first, _ := utf8.DecodeRuneInString(plain)
	last := subject[strings.LastIndexByte(subject, ' ')+1:]
	return dated && startsLikeDate(plain) && !unicode.IsDigit(first) && !pronouns[last]
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

// startsLikeDate reports whether a line begins as programs date a quotation: in a few words with a digit among them.
func startsLikeDate(text string) bool {
	n := 0
	for _, r := range text {
		if unicode.IsDigit(r) {
			return true
		}
		if n++; n > introStart || r == '@' || r == '<' || r == '?' || r == '!' {
			return false
		}
	}
	return false
}

// cutVerb cuts a verb such as "wrote" off the end.
func cutVerb(text string) (before string, is bool) {
	for _, verb := range verbs {
		if before, is := strings.CutSuffix(text, verb); is && bounded(before, verb) {
			return before, true
		}
	}
	return text, false
}

// bounded reports whether a verb is a word of its own. Chinese, Japanese, Korean and Thai don't separate words.
func bounded(before, verb string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(verb)
	return !unicode.IsLetter(last) || unicode.In(first, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Thai)
}

// cutMiddle cuts around a verb that has its subject after it, as in German: "Am 1. Mai schrieb Ada:".
func cutMiddle(text string) (before, after string, is bool) {
	for _, verb := range middleVerbs {
		if before, after, is := strings.Cut(text, verb); is {
			return before, after, true
		}
	}
	return "", "", false
}
