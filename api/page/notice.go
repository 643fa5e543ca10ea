package page

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// notices is what the page says of emergencies. A part of a page says nothing: the page around it does. When nobody
// knows, the page is shown without.
func (v *Visit) notices() []desk.Notice {
	if v.engine.Board == nil || v.Partial() {
		return nil
	}
	notices, err := v.engine.Board.Notices(v.Context())
	if err != nil {
		v.engine.Log.WarnContext(v.Context(), "page without notices of emergencies", "error", err)
	}
	return notices
}

// PastNotices gives the emergencies that ended since an instant, the latest first.
func (v *Visit) PastNotices(since time.Time) ([]desk.Emergency, error) {
	if v.engine.Board == nil {
		return nil, nil
	}
	return v.engine.Board.Past(v.Context(), since)
}
