package gwtest

import (
	"fmt"
	"slices"
)

func testAttributes(e *env) {
	const every = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"
	ask := func(key, what string, opts ...option) *attributesResult {
		e.T.Helper()
		got := &attributesResult{}
		a := e.req("GET", e.at(key)+"?attributes", append([]option{header("X-Amz-Object-Attributes", what)}, opts...)...).mustBe(200).xml(got)
		if a.header.Get("Last-Modified") == "" {
			e.Error("no Last-Modified")
		}
		return got
	}
	e.put("plain", "data", header("X-Amz-Checksum-Crc32", crc32Base64("data")))
	got := ask("plain", every)
	if got.ETag != md5Hex("data") || got.StorageClass != "STANDARD" || got.ObjectSize == nil || *got.ObjectSize != 4 || got.ObjectParts != nil ||
		got.Checksum == nil || got.Checksum.ChecksumCRC32 != crc32Base64("data") || got.Checksum.ChecksumType != "FULL_OBJECT" {
		e.Errorf("got %+v", got)
	}
	if got := ask("plain", "ObjectSize"); got.ETag != "" || got.StorageClass != "" || got.ObjectSize == nil || got.Checksum != nil {
		e.Errorf("size alone: got %+v", got)
	}
	e.put("bare", "")
	if got := ask("bare", "Checksum, ObjectSize"); got.Checksum != nil || got.ObjectSize == nil || *got.ObjectSize != 0 {
		e.Errorf("bare: got %+v", got)
	}
	for _, what := range []string{"", "Nonsense", "ETag,Nonsense"} {
		a := e.req("GET", e.at("plain")+"?attributes", header("X-Amz-Object-Attributes", what))
		a.is(400)
	}
	e.req("GET", e.at("plain")+"?attributes").fails(400, "InvalidRequest")
	e.req("GET", e.at("none")+"?attributes", header("X-Amz-Object-Attributes", every)).fails(404, "NoSuchKey", "Key", "none")
	e.req("GET", e.at("plain")+"?attributes", header("X-Amz-Object-Attributes", every), header("X-Amz-Max-Parts", "x")).fails(400, "InvalidArgument")

	e.sub("parts", func(e *env) {
		up := e.begin("parts", header("X-Amz-Checksum-Algorithm", "SHA256"))
		data := pattern(minPart)
		sha := algorithms()[4]
		var rows []row
		numbers := []int{1, 4, 5}
		for i, n := range numbers {
			p := data
			if i == len(numbers)-1 {
				p = data[:100]
			}
			tag := e.part(up, n, p, header(sha.header(), sha.base64(p)))
			rows = append(rows, row{n, tag + "<ChecksumSHA256>" + sha.base64(p) + "</ChecksumSHA256>"})
		}
		e.req("POST", up.target(), text(completeDocument(rows...))).mustBe(200)
		all := ask("parts", every)
		if all.ObjectParts == nil || all.ObjectParts.PartsCount != 3 || len(all.ObjectParts.Part) != 3 || all.ObjectParts.IsTruncated ||
			all.ObjectParts.Part[2].Size != 100 || all.ObjectParts.Part[0].ChecksumSHA256 != sha.base64(data) || all.Checksum.ChecksumType != "COMPOSITE" {
			e.Errorf("got %+v", all)
		}
		for _, size := range []int{1, 2, 3} {
			var got []int
			marker := 0
			for range numbers {
				page := ask("parts", "ObjectParts", header("X-Amz-Max-Parts", fmt.Sprint(size)), header("X-Amz-Part-Number-Marker", fmt.Sprint(marker))).ObjectParts
				if page == nil || page.MaxParts != size || page.PartNumberMarker != marker || len(page.Part) > size || page.PartsCount != 3 {
					e.Fatalf("got %+v", page)
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
	})
	e.sub("parts without checksums", func(e *env) {
		up := e.begin("nosum")
		e.req("POST", up.target(), text(completeDocument(row{1, e.part(up, 1, []byte("x"))}))).mustBe(200)
		if got := ask("nosum", every); got.ObjectParts == nil || got.ObjectParts.PartsCount != 1 || len(got.ObjectParts.Part) != 0 || got.ETag != multipartTag([]byte("x")) {
			e.Errorf("got %+v %+v", got, got.ObjectParts)
		}
	})
}
