package holdfast

import (
	"testing"
	"time"
)

// Ids of uploads sort as the uploads began, and no two are the same.
func TestUploadIDsSortByTime(t *testing.T) {
	began := time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)
	first, later, twin := NewUploadID(began), NewUploadID(began.Add(time.Nanosecond)), NewUploadID(began)
	if first.String() >= later.String() || first == twin {
		t.Errorf("got %s, a nanosecond later %s, and at the same time %s", first, later, twin)
	}
	if back, err := ParseUploadID(first.String()); err != nil || back != first {
		t.Errorf("got %s, %v", back, err)
	}
}
