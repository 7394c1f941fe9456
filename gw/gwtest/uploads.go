package gwtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

func testListParts(e *env) {
	up := e.begin("k", header("X-Amz-Storage-Class", "STANDARD_IA"))
	numbers := []int{1, 2, 3, 7, 100, 4999, 5000, 9999, 10000}
	var senders sync.WaitGroup
	for _, n := range numbers {
		senders.Go(func() {
			if a, err := e.try(e.T, "PUT", up.partTarget(n), text(fmt.Sprint("part ", n))); err != nil || a.status != 200 {
				e.Errorf("part %d: %v %v", n, a, err)
			}
		})
	}
	senders.Wait()
	var all partsResult
	e.req("GET", up.target()).mustBe(200).xml(&all)
	if all.Bucket != e.bucket || all.Key != "k" || all.UploadID != up.id || all.StorageClass != "STANDARD_IA" || all.MaxParts != 1000 ||
		all.IsTruncated || all.NextPartNumberMarker != 10000 || all.Initiator.ID == "" || all.Owner.ID == "" || all.ChecksumAlgorithm != "" {
		e.Errorf("got %+v", all)
	}
	for i, p := range all.Part {
		data := fmt.Sprint("part ", numbers[i])
		if p.PartNumber != numbers[i] || p.Size != int64(len(data)) || p.ETag != `"`+md5Hex(data)+`"` {
			e.Errorf("got %+v, want part %d", p, numbers[i])
		}
		if at, err := time.Parse("2006-01-02T15:04:05.000Z", p.LastModified); err != nil || time.Since(at).Abs() > time.Hour {
			e.Errorf("LastModified %q: %v", p.LastModified, err)
		}
	}
	for _, size := range []int{1, 2, 4, 9, 1000} {
		var got []int
		marker := 0
		for range len(numbers) + 1 {
			var page partsResult
			e.req("GET", fmt.Sprintf("%s&max-parts=%d&part-number-marker=%d", up.target(), size, marker)).mustBe(200).xml(&page)
			if page.MaxParts != size || page.PartNumberMarker != marker || len(page.Part) > size {
				e.Errorf("got %+v", page)
			}
			for _, p := range page.Part {
				got = append(got, p.PartNumber)
			}
			if marker = page.NextPartNumberMarker; !page.IsTruncated {
				break
			}
		}
		if !slices.Equal(got, numbers) {
			e.Errorf("pages of %d: got %v, want %v", size, got, numbers)
		}
	}
	e.sub("more than a page", testManyParts)
	for query, want := range map[string]int{"part-number-marker=10000": 0, "part-number-marker=99999": 0, "max-parts=0": 0, "part-number-marker=5": 6} {
		var page partsResult
		if e.req("GET", up.target()+"&"+query).mustBe(200).xml(&page); len(page.Part) != want || page.IsTruncated {
			e.Errorf("%s: got %+v", query, page)
		}
	}
	for _, query := range []string{"max-parts=-1", "max-parts=x", "part-number-marker=-1", "part-number-marker=x"} {
		e.req("GET", up.target()+"&"+query).fails(400, "InvalidArgument")
	}
}

// testManyParts stores one part more than a page holds, up to the highest number there is.
func testManyParts(e *env) {
	up := e.begin("many")
	const first, last = 9000, 10000
	numbers := make(chan int)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for n := range numbers {
				if a, err := e.try(e.T, "PUT", up.partTarget(n), text("x")); err != nil || a.status != 200 {
					e.Errorf("part %d: %v %v", n, a, err)
				}
			}
		})
	}
	for n := last; n >= first; n-- {
		numbers <- n
	}
	close(numbers)
	senders.Wait()
	var page partsResult
	e.req("GET", up.target()+"&max-parts=5000").mustBe(200).xml(&page)
	if len(page.Part) != 1000 || page.MaxParts != 1000 || !page.IsTruncated || page.Part[0].PartNumber != first || page.NextPartNumberMarker != last-1 {
		e.Errorf("got %d parts of %d, truncated %t, next %d", len(page.Part), page.MaxParts, page.IsTruncated, page.NextPartNumberMarker)
	}
	e.req("GET", up.target()+"&part-number-marker="+fmt.Sprint(page.NextPartNumberMarker)).mustBe(200).xml(&page)
	if n := len(page.Part); page.IsTruncated || page.Part[n-1].PartNumber != last {
		e.Errorf("the second page ends with part %d, truncated %t", page.Part[n-1].PartNumber, page.IsTruncated)
	}
	e.req("DELETE", up.target()).is(204)
}

// keyed is an upload as a listing shows it.
type keyed struct{ key, id string }

func testListUploads(e *env) {
	var want []keyed
	for _, key := range []string{"a", "a", "a", "a/b", "a/b/c", "b//", "é/x", "z", "odd +%"} {
		want = append(want, keyed{key, e.begin(key).id})
	}
	slices.SortStableFunc(want, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	e.put("a/object", "is no upload")
	var all uploadsResult
	e.req("GET", e.on("uploads")).mustBe(200).xml(&all)
	if all.Bucket != e.bucket || all.MaxUploads != 1000 || all.IsTruncated || len(all.Upload) != len(want) {
		e.Fatalf("got %+v", all)
	}
	if last := all.Upload[len(want)-1]; all.NextKeyMarker != last.Key || all.NextUploadIDMarker != last.UploadID {
		e.Errorf("the last upload is %s of %q, the markers are %s of %q", last.UploadID, last.Key, all.NextUploadIDMarker, all.NextKeyMarker)
	}
	for i, u := range all.Upload {
		if u.Key != want[i].key || u.Owner.ID == "" || u.Initiator.ID == "" || u.StorageClass != "STANDARD" {
			e.Errorf("got %+v, want %+v", u, want[i])
		}
		if at, err := time.Parse("2006-01-02T15:04:05.000Z", u.Initiated); err != nil || time.Since(at).Abs() > time.Hour {
			e.Errorf("Initiated %q: %v", u.Initiated, err)
		}
	}
	if !sameUploads(all, want) {
		e.Errorf("got %+v, want %+v", all.Upload, want)
	}
	for _, size := range []int{1, 2, 4, 1000} {
		var got []keyed
		marker := ""
		for range len(want) + 1 {
			var page uploadsResult
			e.req("GET", e.on(fmt.Sprintf("uploads&max-uploads=%d%s", size, marker))).mustBe(200).xml(&page)
			for _, u := range page.Upload {
				got = append(got, keyed{u.Key, u.UploadID})
			}
			if marker = "&key-marker=" + url.QueryEscape(page.NextKeyMarker) + "&upload-id-marker=" + page.NextUploadIDMarker; !page.IsTruncated {
				break
			}
			if len(page.Upload) != size {
				e.Errorf("a truncated page of %d has %d", size, len(page.Upload))
			}
		}
		if !slices.Equal(got, want) {
			e.Errorf("pages of %d: got %+v, want %+v", size, got, want)
		}
	}
	for query, expect := range map[string][2]int{ // uploads, common prefixes
		"prefix=a": {5, 0}, "prefix=a/": {2, 0}, "delimiter=/": {5, 3}, "delimiter=/&prefix=a/": {1, 1}, "prefix=none": {0, 0},
		"key-marker=a": {6, 0}, "key-marker=a/b": {5, 0}, "max-uploads=0": {0, 0}, "key-marker=zz": {1, 0},
	} {
		var page uploadsResult
		e.req("GET", e.on("uploads&"+query)).mustBe(200).xml(&page)
		if len(page.Upload) != expect[0] || len(page.CommonPrefixes) != expect[1] {
			e.Errorf("%s: got %d uploads, %+v, want %v", query, len(page.Upload), page.CommonPrefixes, expect)
		}
	}
	var coded uploadsResult
	e.req("GET", e.on("uploads&encoding-type=url&prefix=odd")).mustBe(200).xml(&coded)
	if len(coded.Upload) != 1 || coded.Upload[0].Key == "odd +%" {
		e.Errorf("got %+v", coded)
	}
	for _, query := range []string{"max-uploads=-1", "max-uploads=x", "encoding-type=x", "key-marker=a&upload-id-marker=junk"} {
		e.req("GET", e.on("uploads&"+query)).fails(400, "InvalidArgument")
	}
	for _, w := range want {
		e.req("DELETE", e.at(w.key)+"?uploadId="+w.id).is(204)
	}
	var none uploadsResult
	if e.req("GET", e.on("uploads")).mustBe(200).xml(&none); len(none.Upload) != 0 {
		e.Errorf("left over: %+v", none.Upload)
	}
	var marked struct {
		UploadIDMarker *string `xml:"UploadIdMarker"`
		NextKeyMarker  *string
	}
	e.req("GET", e.on("uploads&upload-id-marker=ignored")).mustBe(200).xml(&marked)
	if marked.UploadIDMarker == nil || *marked.UploadIDMarker != "" || marked.NextKeyMarker == nil || *marked.NextKeyMarker != "" {
		e.Errorf("got %+v, want both markers, empty", marked)
	}
}

// sameUploads compares with the order, in which the uploads of a key are as they began.
func sameUploads(r uploadsResult, want []keyed) bool {
	var got []keyed
	for _, u := range r.Upload {
		got = append(got, keyed{u.Key, u.UploadID})
	}
	return slices.Equal(got, want)
}
