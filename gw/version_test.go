package gw

import (
	"strings"
	"testing"

	"holdfast"
	"holdfast/volume"
)

// TestVersionedBucket reads and deletes in a bucket whose versioning was switched on below the S3 API, which cannot do that yet: the
// handlers must say the truth of what they find.
func TestVersionedBucket(t *testing.T) {
	v := openVolume(t, newServices())
	c := clientOf(t, serve(t, New(Options{Volume: v, Credentials: oneUser{}, Settings: Settings{Region: testRegion}})))
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", []byte("null version")).is(200)
	set := func(to holdfast.Versioning) {
		t.Helper()
		if _, err := v.UpdateBucket(t.Context(), "bucket", volume.BucketChange{Versioning: &to}); err != nil {
			t.Fatal(err)
		}
	}
	set(holdfast.VersioningEnabled)
	if a := c.do("GET", "/bucket?versioning", nil).is(200); !strings.Contains(string(a.body), "<Status>Enabled</Status>") {
		t.Errorf("got %s", a.body)
	}
	first := c.do("PUT", "/bucket/k", []byte("one")).is(200).Header.Get("X-Amz-Version-Id")
	second := c.do("PUT", "/bucket/k", []byte("two")).is(200).Header.Get("X-Amz-Version-Id")
	marker := c.do("DELETE", "/bucket/k", nil).is(204)
	markerID := marker.Header.Get("X-Amz-Version-Id")
	if first == "" || first == second || marker.Header.Get("X-Amz-Delete-Marker") != "true" || markerID == "" {
		t.Errorf("versions %q and %q, marker %v", first, second, marker.Header)
	}
	for _, method := range []string{"GET", "HEAD"} {
		gone := c.do(method, "/bucket/k", nil).is(404)
		if gone.Header.Get("X-Amz-Delete-Marker") != "true" || gone.Header.Get("X-Amz-Version-Id") != markerID {
			t.Errorf("%s of a marker: %v", method, gone.Header)
		}
		named := c.do(method, "/bucket/k?versionId="+markerID, nil).is(405)
		if named.Header.Get("Allow") != "DELETE" || named.Header.Get("Last-Modified") == "" || named.Header.Get("X-Amz-Delete-Marker") != "true" {
			t.Errorf("%s of the marker by its id: %v", method, named.Header)
		}
	}
	for id, want := range map[string]string{first: "one", second: "two", "null": "null version"} {
		a := c.do("GET", "/bucket/k?versionId="+id, nil).is(200)
		if string(a.body) != want || a.Header.Get("X-Amz-Version-Id") != id {
			t.Errorf("%s: got %s %v, want %s", id, a.body, a.Header, want)
		}
		copied := c.do("PUT", "/bucket/copy", nil, "X-Amz-Copy-Source", "/bucket/k?versionId="+id).is(200)
		if got := copied.Header.Get("X-Amz-Copy-Source-Version-Id"); got != id {
			t.Errorf("copied version %q, want %q", got, id)
		}
		if a := c.do("GET", "/bucket/copy", nil).is(200); string(a.body) != want {
			t.Errorf("copy of %s: got %s", id, a.body)
		}
	}
	c.do("PUT", "/bucket/copy", nil, "X-Amz-Copy-Source", "/bucket/k?versionId="+markerID).fails(400, "InvalidRequest")
	c.do("PUT", "/bucket/copy", nil, "X-Amz-Copy-Source", "/bucket/k").fails(404, "NoSuchKey")
	if a := c.do("GET", "/bucket", nil).is(200); strings.Contains(string(a.body), "<Key>k</Key>") {
		t.Errorf("a deleted key is listed: %s", a.body)
	}
	back := c.do("DELETE", "/bucket/k?versionId="+markerID, nil).is(204)
	if back.Header.Get("X-Amz-Delete-Marker") != "true" || back.Header.Get("X-Amz-Version-Id") != markerID {
		t.Errorf("a marker removed: %v", back.Header)
	}
	if a := c.do("GET", "/bucket/k", nil).is(200); string(a.body) != "two" {
		t.Errorf("got %s, want two", a.body)
	}
	doc := "<Delete><Object><Key>k</Key></Object><Object><Key>k</Key><VersionId>" + first + "</VersionId></Object></Delete>"
	deleted := c.do("POST", "/bucket?delete", []byte(doc), "Content-Md5", md5Of(doc)).is(200)
	for _, want := range []string{"<DeleteMarker>true</DeleteMarker>", "<DeleteMarkerVersionId>", "<VersionId>" + first + "</VersionId>"} {
		if !strings.Contains(string(deleted.body), want) {
			t.Errorf("got %s, want %s", deleted.body, want)
		}
	}
	c.do("GET", "/bucket/k?versionId="+first, nil).fails(404, "NoSuchVersion")
	c.do("DELETE", "/bucket", nil).fails(409, "BucketNotEmpty")
	set(holdfast.VersioningSuspended)
	if got := c.do("PUT", "/bucket/k", []byte("again")).is(200).Header.Get("X-Amz-Version-Id"); got != "null" {
		t.Errorf("got version %q, want null", got)
	}
	if a := c.do("GET", "/bucket/k?versionId=null", nil).is(200); string(a.body) != "again" {
		t.Errorf("got %s, want again", a.body)
	}
}
