package markup

import "strings"

// minRest is how many characters must be left for a fold to be worth a click.
const minRest = 600

// lineLength is how many characters a line break counts as, since lines take room, too.
const lineLength = 60

// fold finds where a long text can be folded.
type fold struct {
	length int // characters written
	at     []foldPoint
}

// foldPoint is a place between two elements that are within no other.
type foldPoint struct{ offset, length int }

func (f *fold) text(characters int) { f.length += characters }

// boundary records that an element that is within no other starts at an offset of the output.
func (f *fold) boundary(offset int) {
	f.at = append(f.at, foldPoint{offset, f.length})
}

// lines counts the room that an element takes beside its text.
func (f *fold) lines(name string) {
	if in(" br p li tr pre h3 h4 h5 h6 ", name) {
		f.length += lineLength
	} else if name == "img" {
		f.length += 10 * lineLength
	}
}

// apply folds what follows the first boundary after limit characters.
func (f *fold) apply(out string, limit int) string {
	if limit <= 0 || f.length < limit+minRest {
		return out
	}
	for _, p := range f.at {
		if p.length >= limit/2 && f.length-p.length >= minRest && p.offset > 0 {
			return out[:p.offset] + `<details class="rest"><summary>Show all</summary>` + out[p.offset:] + `</details>`
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(textOf(out)), "\n")
	return `<details class="rest"><summary>` + escapeShort(first) + `</summary>` + out + `</details>`
}
