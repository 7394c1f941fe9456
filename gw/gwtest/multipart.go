package gwtest

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
)

// minPart is the least size of a part other than the last.
const minPart = 5 << 20

// upload is an unfinished multipart upload.
type upload struct {
	e   *env
	key string
	id  string
}

// begin starts an upload.
func (e *env) begin(key string, opts ...option) upload {
	e.T.Helper()
	var got initiateResult
	e.req("POST", e.at(key)+"?uploads", opts...).mustBe(200).xml(&got)
	if got.Bucket != e.bucket || got.Key != key || got.UploadID == "" {
		e.Errorf("got %+v", got)
	}
	return upload{e, key, got.UploadID}
}

func (u upload) target() string { return u.e.at(u.key) + "?uploadId=" + u.id }

func (u upload) partTarget(number int) string {
	return fmt.Sprintf("%s&partNumber=%d", u.target(), number)
}

// part stores a part and returns its ETag.
func (e *env) part(u upload, number int, data []byte, opts ...option) string {
	e.T.Helper()
	a := e.req("PUT", u.partTarget(number), append([]option{body(data)}, opts...)...).mustBe(200).lacks("X-Amz-Checksum-Type")
	if want := `"` + md5Hex(string(data)) + `"`; a.header.Get("ETag") != want {
		e.Errorf("part %d: ETag %s, want %s", number, a.header.Get("ETag"), want)
	}
	return a.header.Get("ETag")
}

// row is a part of a complete request; further elements may follow the ETag.
type row struct {
	number int
	rest   string
}

func completeDocument(rows ...row) string {
	var b strings.Builder
	b.WriteString(`<CompleteMultipartUpload xmlns="` + namespace + `">`)
	for _, r := range rows {
		tag, more, _ := strings.Cut(r.rest, "<")
		if more != "" {
			more = "<" + more
		}
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag>%s</Part>", r.number, tag, more)
	}
	return b.String() + "</CompleteMultipartUpload>"
}

// multipartTag is the ETag of an object of parts: the MD5 of their MD5s.
func multipartTag(parts ...[]byte) string {
	h := md5.New()
	for _, p := range parts {
		sum := md5.Sum(p)
		h.Write(sum[:])
	}
	return fmt.Sprintf("%s-%d", hex.EncodeToString(h.Sum(nil)), len(parts))
}

func testMultipart(e *env) {
	first, second, third := pattern(minPart), pattern(minPart + 3)[3:], []byte("the end")
	e.sub("whole", func(e *env) {
		key := "m/é & <x>"
		up := e.begin(key, header("Content-Type", "text/plain"), header("X-Amz-Meta-A", "1"), header("X-Amz-Storage-Class", "STANDARD_IA"))
		// Any order, gaps between numbers, and a part that is stored again.
		t9 := e.part(up, 9, third)
		e.part(up, 2, []byte("to be replaced"))
		t5 := e.part(up, 5, second)
		t2 := e.part(up, 2, first)
		e.part(up, 7, []byte("not listed"))
		e.absent(key)
		var done completeResult
		e.req("POST", up.target(), text(completeDocument(row{2, t2}, row{5, t5}, row{9, t9}))).mustBe(200).xml(&done)
		tag := `"` + multipartTag(first, second, third) + `"`
		if done.ETag != tag || done.Bucket != e.bucket || done.Key != key || !strings.HasSuffix(done.Location, escape(key)) {
			e.Errorf("got %+v, want ETag %s", done, tag)
		}
		whole := append(append(append([]byte{}, first...), second...), third...)
		e.get(key).is(200).holds(whole).has("ETag", tag, "Content-Type", "text/plain", "X-Amz-Meta-A", "1", "X-Amz-Storage-Class", "STANDARD_IA")
		edge := fmt.Sprintf("bytes=%d-%d", minPart-5, minPart+5)
		e.get(key, header("Range", edge)).is(206).holds(whole[minPart-5 : minPart+6])
		e.get(key, header("Range", "bytes=-9")).is(206).holds(whole[len(whole)-9:])
		for number, want := range map[int][]byte{1: first, 2: second, 3: third} {
			target := fmt.Sprintf("%s?partNumber=%d", e.at(key), number)
			get, head := e.req("GET", target), e.req("HEAD", target)
			get.is(206).holds(want).has("X-Amz-Mp-Parts-Count", "3", "ETag", tag)
			same(e, get, head)
		}
		e.req("GET", e.at(key)+"?partNumber=4").fails(416, "InvalidPartNumber")
		e.req("GET", e.at(key)+"?partNumber=9").fails(416, "InvalidPartNumber", "PartNumberRequested", "9", "ActualPartCount", "3")
		if o := e.list("prefix=m/").Contents[0]; o.ETag != tag || o.Size != int64(len(whole)) || o.StorageClass != "STANDARD_IA" {
			e.Errorf("listed as %+v", o)
		}
		e.sub("again", func(e *env) {
			var twice completeResult
			e.req("POST", up.target(), text(completeDocument(row{2, t2}, row{5, t5}, row{9, t9}))).mustBe(200).xml(&twice)
			if twice.ETag != done.ETag || twice.Key != done.Key {
				e.Errorf("got %+v, want %+v", twice, done)
			}
			e.req("PUT", up.partTarget(1), text("late")).fails(404, "NoSuchUpload")
			e.req("GET", up.target()).fails(404, "NoSuchUpload")
			e.req("DELETE", up.target()).fails(404, "NoSuchUpload")
		})
		e.sub("copied", func(e *env) {
			e.req("PUT", e.at("copy"), header("X-Amz-Copy-Source", e.at(key))).is(200)
			e.get("copy").is(200).holds(whole).has("ETag", `"`+md5Hex(string(whole))+`"`)
		})
	})
	e.sub("one part", func(e *env) {
		for _, data := range [][]byte{{}, []byte("x")} {
			up := e.begin("one")
			tag := e.part(up, 10000, data)
			e.req("POST", up.target(), text(completeDocument(row{10000, tag}))).is(200)
			e.get("one").is(200).holds(data).has("ETag", `"`+multipartTag(data)+`"`)
		}
	})
	e.sub("over an object", func(e *env) {
		e.put("over", "old", header("X-Amz-Meta-Old", "1"))
		up := e.begin("over")
		tag := e.part(up, 1, []byte("new"))
		e.get("over").holds([]byte("old"))
		e.req("POST", up.target(), text(completeDocument(row{1, strings.Trim(tag, `"`)})), header("X-Amz-Mp-Object-Size", "3")).is(200)
		e.get("over").is(200).holds([]byte("new")).lacks("X-Amz-Meta-Old")
	})
	e.sub("two of one key", func(e *env) {
		one, two := e.begin("both"), e.begin("both")
		t1, t2 := e.part(one, 1, []byte("one")), e.part(two, 1, []byte("two"))
		e.req("POST", two.target(), text(completeDocument(row{1, t2}))).is(200)
		e.req("POST", one.target(), text(completeDocument(row{1, t1}))).is(200)
		e.get("both").holds([]byte("one"))
	})
	e.sub("abort", func(e *env) {
		up := e.begin("aborted")
		tag := e.part(up, 1, []byte("x"))
		e.req("DELETE", up.target()).is(204).holds(nil)
		e.req("DELETE", up.target()).fails(404, "NoSuchUpload", "UploadId", up.id)
		e.req("GET", up.target()).fails(404, "NoSuchUpload")
		e.req("PUT", up.partTarget(2), text("x")).fails(404, "NoSuchUpload")
		e.req("POST", up.target(), text(completeDocument(row{1, tag}))).fails(404, "NoSuchUpload")
		e.absent("aborted")
	})
}

func testMultipartErrors(e *env) {
	up := e.begin("k")
	small := e.part(up, 1, []byte("small"))
	last := e.part(up, 3, []byte("last"))
	const other = `"00000000000000000000000000000000"`
	complete := func(doc string, opts ...option) *answer {
		e.T.Helper()
		return e.req("POST", up.target(), append([]option{text(doc)}, opts...)...)
	}
	complete(completeDocument(row{1, small}, row{3, last})).fails(400, "EntityTooSmall",
		"PartNumber", "1", "ProposedSize", "5", "MinSizeAllowed", "5242880", "ETag", md5Hex("small"))
	complete(completeDocument(row{3, last}, row{1, small})).fails(400, "InvalidPartOrder", "UploadId", up.id)
	complete(completeDocument(row{1, small}, row{1, small})).fails(400, "InvalidPartOrder")
	complete(completeDocument(row{2, small})).fails(400, "InvalidPart", "PartNumber", "2", "UploadId", up.id, "ETag", md5Hex("small"))
	complete(completeDocument(row{1, other})).fails(400, "InvalidPart")
	complete(completeDocument(row{1, "junk"})).fails(400, "InvalidPart")
	complete(completeDocument(row{0, small})).fails(400, "InvalidArgument")
	complete(completeDocument(row{10001, small})).fails(400, "InvalidArgument")
	complete(completeDocument()).fails(400, "MalformedXML")
	complete("").fails(400, "InvalidRequest")
	complete("<CompleteMultipartUpload>").fails(400, "MalformedXML")
	complete("<Complete></Complete>").fails(400, "MalformedXML")
	complete(`<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>`).fails(400, "MalformedXML")
	complete(completeDocument(row{1, small}), header("X-Amz-Mp-Object-Size", "6")).fails(400, "InvalidRequest")
	complete(completeDocument(row{1, small}), header("X-Amz-Mp-Object-Size", "x")).fails(400, "InvalidArgument")
	complete(completeDocument(row{1, small}), header("Content-MD5", md5Base64("other"))).fails(400, "BadDigest")
	for _, number := range []string{"0", "10001", "-1", "x", "", "1.5"} {
		e.req("PUT", up.target()+"&partNumber="+number, text("x")).fails(400, "InvalidArgument", "ArgumentName", "partNumber")
	}
	e.req("PUT", up.target(), text("x")).fails(400, "InvalidArgument")
	e.req("PUT", e.at("k")+"?partNumber=1", text("x")).fails(400, "InvalidArgument")
	for _, id := range []string{"junk", "", "0123456789abcdef0123456789abcdef"} {
		target := e.at("k") + "?uploadId=" + id
		e.req("PUT", target+"&partNumber=1", text("x")).fails(404, "NoSuchUpload", "UploadId", id)
		e.req("PUT", target+"&partNumber=1", header("X-Amz-Copy-Source", e.at("k"))).fails(404, "NoSuchUpload")
		e.req("GET", target).fails(404, "NoSuchUpload")
		e.req("DELETE", target).fails(404, "NoSuchUpload")
		e.req("POST", target, text(completeDocument(row{1, small}))).fails(404, "NoSuchUpload")
		e.req("POST", target, text(completeDocument(row{1, "junk"}))).fails(404, "NoSuchUpload")
	}
	elsewhere := strings.Replace(up.target(), "/k?", "/other?", 1)
	e.req("PUT", elsewhere+"&partNumber=1", text("x")).fails(404, "NoSuchUpload")
	e.req("DELETE", elsewhere).fails(404, "NoSuchUpload")
	e.req("PUT", up.partTarget(4), text("x"), header("Content-MD5", md5Base64("y"))).fails(400, "BadDigest",
		"ExpectedDigest", md5Hex("y"), "CalculatedDigest", md5Base64("x"))
	e.absent("k")
	// None of that changed the upload.
	var parts partsResult
	e.req("GET", up.target()).mustBe(200).xml(&parts)
	if len(parts.Part) != 2 {
		e.Errorf("got %+v", parts.Part)
	}
	complete(completeDocument(row{1, small})).is(200)
	e.get("k").is(200).holds([]byte("small"))
}

func testMultipartCopy(e *env) {
	data := pattern(2*minPart + 77)
	e.req("PUT", e.at("src"), body(data)).mustBe(200)
	e.put("empty", "")
	from := header("X-Amz-Copy-Source", e.at("src"))
	up := e.begin("dst", header("X-Amz-Checksum-Algorithm", "CRC32"), header("X-Amz-Checksum-Type", "FULL_OBJECT"))
	copyPart := func(number, first, last int) string {
		e.T.Helper()
		var got copyResult
		e.req("PUT", up.partTarget(number), from, header("X-Amz-Copy-Source-Range", fmt.Sprintf("bytes=%d-%d", first, last))).mustBe(200).xml(&got)
		if want := md5Hex(string(data[first : last+1])); got.XMLName.Local != "CopyPartResult" || strings.Trim(got.ETag, `"`) != want ||
			got.ChecksumCRC32 != crc32Base64(string(data[first:last+1])) || got.LastModified == "" {
			e.Errorf("got %+v, want ETag %s", got, want)
		}
		return got.ETag
	}
	t2 := copyPart(2, 50, minPart+100)
	t1 := copyPart(1, minPart, 2*minPart)
	t3 := copyPart(3, 0, 0)
	e.req("POST", up.target(), text(completeDocument(row{1, t1}, row{2, t2}, row{3, t3}))).is(200)
	want := append(append(append([]byte{}, data[minPart:2*minPart+1]...), data[50:minPart+101]...), data[0])
	e.get("dst", header("X-Amz-Checksum-Mode", "ENABLED")).is(200).holds(want).has("X-Amz-Checksum-Crc32", crc32Base64(string(want)))
	e.sub("whole", func(e *env) {
		up := e.begin("whole")
		var part copyResult
		e.req("PUT", up.partTarget(1), from).mustBe(200).xml(&part)
		e.req("POST", up.target(), text(completeDocument(row{1, part.ETag}))).is(200)
		e.get("whole").is(200).holds(data)
	})
	e.sub("nothing", func(e *env) { // an empty object is a part as good as any
		up := e.begin("nothing")
		var part copyResult
		e.req("PUT", up.partTarget(2), header("X-Amz-Copy-Source", e.at("empty"))).mustBe(200).xml(&part)
		tag := e.part(up, 1, data[:minPart])
		e.req("POST", up.target(), text(completeDocument(row{1, tag}, row{2, part.ETag}))).is(200)
		e.get("nothing").is(200).holds(data[:minPart])
		e.get("nothing", header("Range", "bytes=-1")).is(206).holds(data[minPart-1 : minPart])
		get, head := e.req("GET", e.at("nothing")+"?partNumber=2"), e.req("HEAD", e.at("nothing")+"?partNumber=2")
		get.is(206).holds(nil).has("Content-Length", "0", "X-Amz-Mp-Parts-Count", "2").lacks("Content-Range")
		same(e, get, head)
	})
	e.sub("refused", func(e *env) {
		up := e.begin("never")
		for _, r := range []string{
			fmt.Sprintf("bytes=0-%d", len(data)), "bytes=5-", "bytes=-5", "0-5", "bytes=5-4", "bytes=a-b",
		} {
			e.req("PUT", up.partTarget(1), from, header("X-Amz-Copy-Source-Range", r)).fails(400, "InvalidArgument")
		}
		e.req("PUT", up.partTarget(1), header("X-Amz-Copy-Source", e.at("none"))).fails(404, "NoSuchKey")
		e.req("PUT", up.partTarget(1), header("X-Amz-Copy-Source", e.at("empty")), header("X-Amz-Copy-Source-Range", "bytes=0-0")).fails(400, "InvalidRequest")
		e.req("PUT", up.partTarget(1), from, header("X-Amz-Copy-Source-Range", fmt.Sprintf("bytes=%d-%d", len(data), len(data)+1))).fails(400, "InvalidRequest")
		e.req("PUT", up.partTarget(0), from).fails(400, "InvalidArgument")
		var parts partsResult
		if e.req("GET", up.target()).mustBe(200).xml(&parts); len(parts.Part) != 0 {
			e.Errorf("got %+v", parts.Part)
		}
	})
}
