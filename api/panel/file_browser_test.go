package panel_test

import (
	"fmt"
	"testing"

	"github.com/holesalemart/supportdesk/internal/pagetest"
)

// attachedTo is how many files the composer's form of a kind holds.
func attachedTo(kind string, count int) string {
	return fmt.Sprintf(`document.querySelectorAll("#write-%s .attached-file[data-file]").length === %d`, kind, count)
}

// TestFiles_goWithTheirWords: from kind to kind, into the draft, through the undo, and never from a note into a reply.
func TestFiles_goWithTheirWords(t *testing.T) {
	o, n, p, _ := newWindow(t, "A dent", "See the picture.")
	openTicket(p, n)
	p.Press("n")
	p.Type("For colleagues.")
	p.PasteFile("image.png", "image/png", pagetest.PNG(t, 60, 40))
	p.Until("the note has a file", attachedTo("note", 1))
	p.Press("Escape")
	p.Press("r")
	p.Until("and the reply has none", attachedTo("reply", 0))
	p.AttachIn("#attach-reply", "label.png", "image/png", pagetest.PNG(t, 90, 40))
	p.Until("a file for the requester", attachedTo("reply", 1))
	p.CheckReadable("files-desk-composer")
	p.Press("Escape")
	p.Press("e")
	p.Until("goes to another kind", attachedTo("resolve", 1)+" && "+attachedTo("reply", 0))
	p.Press("Escape")
	p.Press("r")
	p.Until("and back", attachedTo("reply", 1))
	p.Reload()
	p.Until("the drafts have their files", attachedTo("reply", 1)+" && "+attachedTo("note", 1))
	p.Press("r")
	release := holdMessages(p)
	p.Press("Control+Enter")
	p.SeeOn("#sending", "Undo")
	p.Until("the box is empty", attachedTo("reply", 0))
	p.Click("Undo sending reply")
	p.Until("undone, it is back", attachedTo("reply", 1))
	p.Press("Control+Enter")
	p.SeeOn("#sending", "Undo")
	release()
	p.Until("a message of a file is there", `document.querySelectorAll("#conversation .said.staff .file-preview").length === 1`)
	p.Press("n")
	p.Press("Control+Enter")
	p.Until("and so is the note's", `document.querySelectorAll("#conversation .said.note .file").length === 1`)
	p.CheckReadable("files-desk")
	p.ClickOn("#conversation .said.note .file-preview")
	p.Until("a dialog shows it", `document.querySelector("dialog.lightbox")?.open`)
	p.Press("Escape")
	p.ClickOn("#conversation .said.note .file-delete button")
	p.ClickOn("#confirm button[value=yes]")
	p.SeeOn("#conversation", "was deleted by Anna Agent")
	if deleted := o.Count(`SELECT count(*) FROM files WHERE deleted_at IS NOT NULL AND blob IS NULL`); deleted != 1 {
		t.Errorf("%d files are deleted", deleted)
	}
}
