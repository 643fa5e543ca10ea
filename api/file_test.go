package api_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/pagetest"
)

// sent is what the API says of a file.
type sent struct {
	ID, Name, Type, URL, Preview, Alt string
	Size                              int64
	Width, Height                     int
	Deleted                           *struct{ By struct{ Name, Handle string } }
}

// upload sends a raw body.
func (o *fixture) upload(who, name string, content []byte) sent {
	o.t.Helper()
	a := do(o.t, o, call{
		method: "POST", path: "/api/v1/files", as: o.tokens[who], body: string(content), media: "application/x-anything",
		header: http.Header{"X-Filename": {name}},
	})
	if a.Code != 201 {
		o.t.Fatalf("%d %s", a.Code, a.Body)
	}
	return decode[sent](o.t, a)
}

// form returns a multipart form of names and values; a name that begins with @ is that of a file.
func form(t testing.TB, pairs ...string) (body, media string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		var part io.Writer
		var err error
		if name, is := strings.CutPrefix(pairs[i], "@"); is {
			part, err = w.CreateFormFile("file", name)
		} else {
			part, err = w.CreateFormField(pairs[i])
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// files returns the files of the last entry of a ticket's timeline.
func (o *fixture) files(who, ticket string) []sent {
	o.t.Helper()
	for {
		a := o.do(who, 200, "GET", ticket+"/timeline", "")
		if view := decode[struct{ Entries []struct{ Files []sent } }](o.t, a); len(view.Entries) > 0 {
			return view.Entries[len(view.Entries)-1].Files
		}
		runtime.Gosched() // its first step is being taken
	}
}

func TestFiles_areUploadedAndSentWithMessages(t *testing.T) {
	o := openFixture(t)
	picture := pagetest.PNG(t, 1600, 400)
	file := o.upload("clara", "Kassenzettel%20%C3%A4.png", picture)
	if file.Name != "Kassenzettel ä.png" || file.Size != int64(len(picture)) || file.Type != "image/png" || file.Preview == "" || file.Width != 1280 || file.Height != 320 {
		t.Errorf("got %+v", file)
	}
	o.do("clara", 200, "PATCH", file.URL, `{"alt":"A receipt"}`)
	ticket := o.submit("clara", `{"subject":"Receipt","files":["`+file.ID+`"]}`)
	o.do("anna", 200, "POST", ticket+"/replies", `{"files":["`+o.upload("anna", "answer.txt", []byte("An answer.")).ID+`"]}`)
	if got := o.files("clara", ticket); len(got) != 1 || got[0].Name != "answer.txt" || !strings.HasPrefix(got[0].Type, "text/plain") || got[0].Preview != "" {
		t.Errorf("got %+v", got)
	}
	a := o.do("anna", 200, "GET", file.URL, "")
	if !bytes.Equal(a.Body.Bytes(), picture) {
		t.Error("the bytes are others")
	}
	for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox", "Content-Disposition": "Kassenzettel"} {
		if got := a.Header().Get(header); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", header, got, want)
		}
	}
	if a := o.do("anna", 200, "GET", file.Preview, ""); !strings.HasPrefix(a.Header().Get("Content-Type"), "image/") || bytes.Equal(a.Body.Bytes(), picture) {
		t.Errorf("the preview is %s of %d bytes", a.Header().Get("Content-Type"), a.Body.Len())
	}
	o.do("clara", 403, "DELETE", file.URL, "")
	o.do("anna", 200, "DELETE", file.URL, "")
	o.do("anna", 200, "DELETE", file.URL, "")
	o.do("anna", 404, "GET", file.URL, "")
	o.do("anna", 404, "GET", file.Preview, "")
	view := decode[struct{ Entries []struct{ Files []sent } }](t, o.do("clara", 200, "GET", ticket+"/timeline", ""))
	if f := view.Entries[0].Files[0]; f.Name != file.Name || f.URL != "" || f.Deleted == nil || f.Deleted.By.Name != "Anna Agent" || f.Deleted.By.Handle != "" || f.Alt != "A receipt" {
		t.Errorf("a deleted file is %+v", f)
	}
}

func TestFiles_formsCarryThemWithTheMessage(t *testing.T) {
	o := openFixture(t)
	body, media := form(t, "subject", "With files", "body", "See below.", "@a.txt", "first", "@b.txt", "second")
	submit := func(body, media string) answer {
		return do(t, o, call{method: "POST", path: "/api/v1/tickets", as: o.tokens["clara"], body: body, media: media, header: http.Header{"Idempotency-Key": {"k"}}})
	}
	first := submit(body, media)
	if first.Code != 201 {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	ticket := first.Header().Get("Location")
	body, media = form(t, "subject", "With files", "body", "See below.", "@a.txt", "first", "@b.txt", "second")
	if again := submit(body, media); again.Code != 201 || again.Header().Get("Location") != ticket || again.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("the same again: %d %s", again.Code, again.Body)
	}
	body, media = form(t, "subject", "With files", "body", "See below.", "@a.txt", "first", "@b.txt", "other")
	if other := submit(body, media); other.Code != 409 {
		t.Errorf("other files with the same key: %d %s", other.Code, other.Body)
	}
	body, media = form(t, "subject", "With files", "body", "See below.", "@a.txt", "first", "@b.txt", "second", "files", "F-01ARZ3NDEKTSV4RRFFQ69G5FAV")
	if other := submit(body, media); other.Code != 409 {
		t.Errorf("a further file, named after the others, with the same key: %d %s", other.Code, other.Body)
	}
	if got := o.files("clara", ticket); len(got) != 2 || got[0].Name != "a.txt" || got[1].Name != "b.txt" {
		t.Errorf("got %+v", got)
	}
	body, media = form(t, "seen", "1", "@note.txt", "for colleagues")
	if a := do(t, o, call{method: "POST", path: ticket + "/replies", as: o.tokens["clara"], body: body, media: media}); a.Code != 200 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	for name, pairs := range map[string][]string{
		"unknown field": {"subject", "x", "body", "y", "color", "red"}, "not UTF-8": {"subject", "x", "body", "\xff"},
		"twice": {"subject", "x", "subject", "z", "body", "y"}, "neither words nor files": {"subject", "x", "body", " "},
	} {
		body, media := form(t, pairs...)
		if a := do(t, o, call{method: "POST", path: "/api/v1/tickets", as: o.tokens["clara"], body: body, media: media}); a.Code != 422 {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
}

func TestFiles_hostileUploadsAreRefused(t *testing.T) {
	o := openFixture(t)
	post := func(path, body, media string) answer {
		return do(t, o, call{method: "POST", path: path, as: o.tokens["clara"], body: body, media: media, header: http.Header{"X-Filename": {"x"}}})
	}
	large := strings.Repeat("x", 10<<20+1)
	if a := post("/api/v1/files", large, "text/plain"); a.Code != 413 || !strings.Contains(a.problem.Detail, "10 MiB") {
		t.Errorf("10 MiB and a byte: %d %s", a.Code, a.Body)
	}
	if a := post("/api/v1/files", large[1:], "text/plain"); a.Code != 201 {
		t.Errorf("10 MiB: %d %s", a.Code, a.Body)
	}
	r := httptest.NewRequest("POST", "/api/v1/files", strings.NewReader(""))
	r.Header.Set("Authorization", "Bearer "+o.tokens["clara"])
	empty := httptest.NewRecorder()
	if o.ServeHTTP(empty, r); empty.Code != 422 {
		t.Errorf("no bytes: %d %s", empty.Code, empty.Body)
	}
	r = httptest.NewRequest("POST", "/api/v1/files", io.MultiReader(strings.NewReader("half"), brokenReader{}))
	r.Header.Set("Authorization", "Bearer "+o.tokens["clara"])
	aborted := httptest.NewRecorder()
	if o.ServeHTTP(aborted, r); aborted.Code != 422 {
		t.Errorf("aborted: %d %s", aborted.Code, aborted.Body)
	}
	var pairs []string
	for i := range 11 {
		pairs = append(pairs, fmt.Sprintf("@%d.txt", i), "x")
	}
	body, media := form(t, append([]string{"subject", "Eleven", "body", "x"}, pairs...)...)
	if a := post("/api/v1/tickets", body, media); a.Code != 422 || !strings.Contains(a.Body.String(), "more than 10") {
		t.Errorf("eleven files: %d %s", a.Code, a.Body)
	}
	half := large[:9<<20]
	body, media = form(t, "subject", "Large", "body", "x", "@1", half, "@2", half, "@3", half)
	if a := post("/api/v1/tickets", body, media); a.Code != 422 || !strings.Contains(a.Body.String(), "25 MiB") {
		t.Errorf("27 MiB: %d %s", a.Code, a.Body)
	}
	for _, body := range []string{"", "--x", "--x\r\n\r\n", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf"} {
		if a := post("/api/v1/files", body+" ", "multipart/form-data; boundary=x"); a.Code != 422 {
			t.Errorf("%q: %d %s", body, a.Code, a.Body)
		}
	}
	for _, name := range []string{"../../etc/passwd", "a%00b.png", strings.Repeat("x", 64<<10), "%E2%80%AEgnp.exe", "%FF%FE", "CON"} {
		file := o.upload("clara", name, []byte("x"))
		if file.Name == "" || strings.ContainsAny(file.Name, "/\\\x00\u202e") || len(file.Name) > 1024 {
			t.Errorf("%.40q is stored as %.100q", name, file.Name)
		}
	}
	if tickets := o.do("clara", 200, "GET", "/api/v1/tickets", "").Body.String(); strings.Contains(tickets, "HM-") {
		t.Errorf("a refused submission is there: %s", tickets)
	}
}

// brokenReader is a connection that ends half-way.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestPrivacy_filesAreWhereTheirMessageIs(t *testing.T) {
	o := openFixture(t)
	draft := o.upload("clara", "draft.png", pagetest.PNG(t, 20, 20))
	ticket := o.submit("clara", `{"subject":"Mine","body":"x","files":["`+o.upload("clara", "mine.png", pagetest.PNG(t, 20, 20)).ID+`"]}`)
	mine := o.files("clara", ticket)[0]
	note := o.upload("anna", "note.png", pagetest.PNG(t, 20, 20))
	o.do("anna", 200, "POST", ticket+"/notes", `{"body":"x","files":["`+note.ID+`"]}`)
	if got := o.files("clara", ticket); len(got) == 1 && got[0].Name == "note.png" {
		t.Error("a note's file is listed to the requester")
	}
	shown := map[string][]string{"clara": {draft.ID, mine.ID}, "anna": {mine.ID, note.ID}, "sam": {mine.ID, note.ID}, "carl": nil, "": nil}
	for who, may := range shown {
		for _, file := range []sent{draft, mine, note} {
			for _, path := range []string{file.URL, file.Preview, strings.ToLower(file.URL)} {
				want := 404
				if slices.Contains(may, file.ID) {
					want = 200
				}
				if who == "" {
					want = 401
				}
				path = strings.Replace(path, "/api/v1/files/f-", "/api/v1/files/f-", 1)
				o.do(who, want, "GET", path, "")
			}
			if !slices.Contains(may, file.ID) {
				want := 404
				if who == "" {
					want = 401
				}
				o.do(who, want, "DELETE", file.URL, "")
				o.do(who, want, "PATCH", file.URL, `{"alt":"x"}`)
			}
		}
	}
	other := o.submit("carl", `{"subject":"Other","body":"x"}`)
	for _, id := range []string{draft.ID, mine.ID, note.ID} {
		o.do("carl", 422, "POST", other+"/replies", `{"body":"x","files":["`+id+`"]}`)
	}
}
