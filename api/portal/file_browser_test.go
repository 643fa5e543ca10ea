package portal_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestFiles_areChosenPastedAndDropped, described and removed before they are sent, and stay with the draft.
func TestFiles_areChosenPastedAndDropped(t *testing.T) {
	o := newFixture(t)
	p := o.window(t, browsertest.Look{})
	p.Goto("/let-in/clara")
	p.Goto("/tickets/new")
	p.Fill("Subject", "A dent")
	p.AttachIn("#attach", "label.png", "image/png", pagetest.PNG(t, 640, 480))
	p.SeeOn(".attached", "label.png")
	p.Until("it is uploaded", `document.querySelectorAll(".attached-file[data-file]").length === 1`)
	p.Fill("Describe this image (optional)", "The label of the parcel")
	p.ClickOn("#body")
	p.PasteFile("image.png", "image/png", pagetest.PNG(t, 300, 900))
	p.Until("a screenshot is there", `document.querySelectorAll(".attached-file[data-file]").length === 2`)
	p.SeeOn(".attached", "screenshot.png")
	p.DropOn("#subject", strings.Repeat("sehrlangerdateiname", 8)+" مرحبا.txt", "text/plain", []byte("Words."))
	p.Until("a dropped file is there", `document.querySelectorAll(".attached-file[data-file]").length === 3`)
	p.AttachIn("#attach", "empty.txt", "text/plain", nil)
	p.SeeOn(".attach-state", "empty.txt is empty.")
	attachAll := func(sizes string) { // by name
		browsertest.Value[bool](p, fmt.Sprintf(`(() => {
			const files = new DataTransfer(), input = document.querySelector("#attach");
			for (const [name, size] of Object.entries(%s)) files.items.add(new File([new Uint8Array(size)], name));
			input.files = files.files;
			input.dispatchEvent(new Event("change", { bubbles: true }));
			return true;
		})()`, sizes))
	}
	attachAll(`{ "a.bin": 9 << 20, "b.bin": 9 << 20, "c.bin": 9 << 20 }`)
	p.SeeOn(".attach-state", "With c.bin, the files are larger than 25 MiB together.")
	for range 2 {
		p.ClickOn(".attached-file:nth-child(4) .attached-remove")
	}
	attachAll(`{ "much.bin": 11 << 20, "note.txt": 4, "nothing.txt": 0 }`)
	for _, text := range []string{"much.bin is larger than 10 MiB.", "nothing.txt is empty.", "note.txt is attached."} {
		p.SeeOn(".attach-state", text)
	}
	p.ClickOn(".attached-file:nth-child(4) .attached-remove")
	p.Until("it is removed", `document.querySelectorAll(".attached-file").length === 3`)
	p.CheckReadable("files-new")
	p.Goto("/tickets/new")
	p.Until("the draft has its files", `document.querySelectorAll(".attached-file[data-file]").length === 3 &&
		document.querySelector(".attached-alt input").value === "The label of the parcel"`)
	p.ClickOn(".attached-file:nth-child(2) .attached-remove")
	p.Until("one is removed", `document.querySelectorAll(".attached-file").length === 2`)
	p.Click("Submit ticket")
	p.At(`/tickets/.*/receipt`)
	p.Goto(strings.TrimSuffix(browsertest.Value[string](p, "location.pathname"), "/receipt"))
	p.Until("its message has both", `document.querySelectorAll(".bubble .file").length === 2`)
	p.Until("the preview is described", `document.querySelector(".file-preview img").alt === "The label of the parcel" && document.querySelector(".file-preview img").naturalWidth === 640`)
	p.CheckReadable("files-ticket")
	p.ClickOn(".file-preview")
	p.Until("a dialog shows it", `document.querySelector("dialog.lightbox")?.open && document.querySelector("dialog.lightbox img").naturalWidth === 640`)
	p.CheckReadable("files-lightbox")
	p.Press("Escape")
	p.Until("the keyboard is back where it was", `!document.querySelector("dialog.lightbox").open && document.activeElement.matches(".file-preview")`)
	p.AttachIn("#attach", "more.png", "image/png", pagetest.PNG(t, 30, 30))
	p.Until("it is uploaded", `document.querySelectorAll(".attached-file[data-file]").length === 1`)
	p.Click("Send")
	p.Until("a reply needs no words", `document.querySelectorAll(".bubble").length === 2 && document.querySelectorAll(".attached-file").length === 0`)
}

// TestFiles_byALinkFromAnEmail, without an account.
func TestFiles_byALinkFromAnEmail(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	f, err := o.Files.Upload(t.Context(), o.People["anna"], desk.Upload{Name: "answer.png", Content: bytes.NewReader(pagetest.PNG(t, 200, 100))})
	if err != nil {
		t.Fatal(err)
	}
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "See the picture.", Files: []desk.FileID{f.ID}})
	p := o.window(t, browsertest.Look{})
	p.Goto("/c/" + o.token(n, "clara", time.Now().Add(time.Hour)))
	p.Until("the preview is shown", `document.querySelector(".file-preview img")?.naturalWidth === 200`)
	p.AttachIn("#attach", "mine.png", "image/png", pagetest.PNG(t, 30, 30))
	p.Until("it is uploaded", `document.querySelectorAll(".attached-file[data-file]").length === 1`)
	p.Click("Send")
	p.SeeOn(".mine:last-child", "mine.png")
}
