package gwtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
)

// sumOf returns the checksum of a complete answer.
func sumOf(done *completeResult, a algorithm) string {
	return reflect.ValueOf(done).Elem().FieldByName("Checksum" + strings.ToUpper(a.name)).String()
}

// composite is the checksum of the parts' checksums.
func (a algorithm) composite(parts ...[]byte) string {
	var sums []byte
	for _, p := range parts {
		sums = append(sums, a.raw(p)...)
	}
	return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(a.raw(sums)), len(parts))
}

func testMultipartChecksums(e *env) {
	parts := [][]byte{pattern(minPart), []byte("the end")}
	whole := bytes.Join(parts, nil)
	for _, a := range algorithms() {
		for _, kind := range []string{"COMPOSITE", "FULL_OBJECT", ""} {
			e.sub(a.name+" "+kind, func(e *env) {
				opts := []option{header("X-Amz-Checksum-Algorithm", strings.ToUpper(a.name))}
				if kind != "" {
					opts = append(opts, header("X-Amz-Checksum-Type", kind))
				}
				if kind == "COMPOSITE" && !a.comp || kind == "FULL_OBJECT" && !a.full {
					e.req("POST", e.at("k")+"?uploads", opts...).fails(400, "InvalidRequest")
					return
				}
				want, shown := a.base64(whole), "FULL_OBJECT"
				if kind == "COMPOSITE" || kind == "" && a.comp {
					want, shown = a.composite(parts...), "COMPOSITE"
				}
				testUploadChecksum(e, a, opts, parts, want, shown)
			})
		}
	}
	e.sub("refused", func(e *env) {
		for _, opts := range [][]option{
			{header("X-Amz-Checksum-Algorithm", "ROT13")}, {header("X-Amz-Checksum-Type", "COMPOSITE")},
			{header("X-Amz-Checksum-Algorithm", "CRC32"), header("X-Amz-Checksum-Type", "HALF")},
		} {
			a := e.req("POST", e.at("k")+"?uploads", opts...)
			if a.is(400); !bytes.Contains(a.body, []byte("<Code>Invalid")) {
				e.Errorf("got %s", a.body)
			}
		}
		e.req("POST", e.at("k")+"?uploads", header("X-Amz-Checksum-Algorithm", "CRC32,SHA1")).fails(400, "InvalidRequest",
			"Message", "Invalid types are specified in x-amz-checksum-algorithm header.")
		e.req("POST", e.at("k")+"?uploads", header("X-Amz-Checksum-Algorithm", "SHA1"), header("X-Amz-Checksum-Type", "FULL_OBJECT")).fails(400,
			"InvalidRequest", "Message", "The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm.")
		up := e.begin("k", header("X-Amz-Checksum-Algorithm", "CRC32"))
		e.req("PUT", up.partTarget(1), text("x"), header("X-Amz-Checksum-Sha1", algorithms()[3].base64([]byte("x")))).fails(400, "InvalidRequest")
		e.req("PUT", up.partTarget(1), text("x"), header("X-Amz-Checksum-Crc32", crc32Base64("y"))).fails(400, "BadDigest")
		var none partsResult
		if e.req("GET", up.target()).mustBe(200).xml(&none); len(none.Part) != 0 {
			e.Errorf("got %+v", none.Part)
		}
	})
	e.sub("computed", func(e *env) { // a part without a checksum gets the one that its upload asks for
		up := e.begin("k", header("X-Amz-Checksum-Algorithm", "CRC32"), header("X-Amz-Checksum-Type", "FULL_OBJECT"))
		tag := e.part(up, 1, []byte("data"))
		e.req("POST", up.target(), text(completeDocument(row{1, tag}))).is(200)
		e.get("k", header("X-Amz-Checksum-Mode", "ENABLED")).is(200).has("X-Amz-Checksum-Crc32", crc32Base64("data"), "X-Amz-Checksum-Type", "FULL_OBJECT")
	})
	e.sub("of parts", testPartChecksums)
}

// testPartChecksums says wrong things of the checksums of parts, and too little: a composite checksum is made of those that the
// client knows.
func testPartChecksums(e *env) {
	const sha1OfData = "oXyckyeT5fhKTb6ZSQPRyKWISqs="
	sums := func(tag string, of ...string) string {
		for i := 0; i < len(of); i += 2 {
			tag += "<Checksum" + of[i] + ">" + of[i+1] + "</Checksum" + of[i] + ">"
		}
		return completeDocument(row{1, tag})
	}
	good := crc32Base64("data")
	for _, kind := range []string{"COMPOSITE", "FULL_OBJECT"} {
		up := e.begin("p", header("X-Amz-Checksum-Algorithm", "CRC32"), header("X-Amz-Checksum-Type", kind))
		bare := e.req("PUT", up.partTarget(1), text("data"))
		if kind == "COMPOSITE" {
			bare.fails(400, "InvalidRequest", "Message", "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: null")
		} else {
			bare.is(200)
		}
		tag := e.req("PUT", up.partTarget(1), text("data"), header("X-Amz-Checksum-Crc32", good)).mustBe(200).header.Get("ETag")
		complete := func(doc string, opts ...option) *answer {
			e.T.Helper()
			return e.req("POST", up.target(), append([]option{text(doc)}, opts...)...)
		}
		const notOne = "Invalid Base64 or multiple checksums present in request"
		complete(sums(tag, "CRC32", "junk")).fails(400, "InvalidArgument", "Message", notOne, "ArgumentName", "Checksum", "ArgumentValue", "CRC32:junk;")
		complete(sums(tag, "SHA1", sha1OfData, "CRC32", good)).fails(400, "InvalidArgument", "Message", notOne,
			"ArgumentValue", "CRC32:"+good+";SHA1:"+sha1OfData+";")
		complete(sums(tag, "SHA1", sha1OfData)).fails(400, "BadDigest", "Message", "The sha1 you specified for part 1 did not match what we received.")
		complete(sums(tag, "CRC32", crc32Base64("other"))).fails(400, "InvalidPart", "PartNumber", "1")
		complete(sums(tag, "CRC32", good), header("X-Amz-Checksum-Crc32", good), header("X-Amz-Checksum-Sha1", sha1OfData)).fails(400, "InvalidRequest")
		complete(sums(tag, "CRC32", good), header("X-Amz-Checksum-Crc32", crc32Base64("other"))).fails(400, "BadDigest",
			"Message", "The crc32 you specified did not match the calculated checksum.")
		e.absent("p")
		if kind == "COMPOSITE" {
			complete(sums(tag)).fails(400, "InvalidRequest", "Message", "The upload was created using a crc32 checksum. "+
				"The complete request must include the checksum for each part. It was missing for part 1 in the request.")
			complete(sums(tag, "CRC32", good)).is(200)
		} else {
			complete(sums(tag)).is(200)
		}
		e.req("DELETE", e.at("p")).is(204)
	}
	up := e.begin("p")
	tag := e.part(up, 1, []byte("data"))
	e.req("POST", up.target(), text(sums(tag, "CRC32", "junk"))).fails(400, "InvalidArgument", "ArgumentName", "Checksum")
	e.req("DELETE", up.target()).is(204)
}

// testUploadChecksum uploads parts with checksums; want is that of the object.
func testUploadChecksum(e *env, a algorithm, opts []option, parts [][]byte, want, kind string) {
	up := e.begin("k", opts...)
	element := "Checksum" + strings.ToUpper(a.name)
	var rows []row
	for i, p := range parts {
		sum := a.base64(p)
		res := e.req("PUT", up.partTarget(i+1), body(p), header(a.header(), sum)).mustBe(200).has(a.header(), sum)
		rows = append(rows, row{i + 1, res.header.Get("ETag") + "<" + element + ">" + sum + "</" + element + ">"})
	}
	var listed partsResult
	e.req("GET", up.target()).mustBe(200).xml(&listed)
	if listed.ChecksumAlgorithm != strings.ToUpper(a.name) || listed.ChecksumType != kind {
		e.Errorf("ListParts: got %s %s, want %s %s", listed.ChecksumAlgorithm, listed.ChecksumType, a.name, kind)
	}
	wrong := bytes.ReplaceAll([]byte(completeDocument(rows...)), []byte(a.base64(parts[1])), []byte(a.base64([]byte("other"))))
	e.req("POST", up.target(), body(wrong)).fails(400, "InvalidPart")
	e.req("POST", up.target(), text(completeDocument(rows...)), header(a.header(), a.base64([]byte("other")))).fails(400, "BadDigest")
	another := map[string]string{"COMPOSITE": "FULL_OBJECT", "FULL_OBJECT": "COMPOSITE"}[kind]
	e.req("POST", up.target(), text(completeDocument(rows...)), header("X-Amz-Checksum-Type", another)).fails(400, "InvalidRequest")
	e.absent("k")
	var done completeResult
	e.req("POST", up.target(), text(completeDocument(rows...)), header(a.header(), want), header("X-Amz-Checksum-Type", kind)).mustBe(200).xml(&done)
	if got := sumOf(&done, a); got != want || done.ChecksumType != kind {
		e.Errorf("complete: got %s %s, want %s %s", got, done.ChecksumType, want, kind)
	}
	enabled := header("X-Amz-Checksum-Mode", "ENABLED")
	get, head := e.get("k", enabled), e.req("HEAD", e.at("k"), enabled)
	get.is(200).holds(bytes.Join(parts, nil)).has(a.header(), want, "X-Amz-Checksum-Type", kind)
	same(e, get, head)
	e.req("GET", e.at("k")+"?partNumber=2", enabled).is(206).holds(parts[1]).has(a.header(), a.base64(parts[1]), "X-Amz-Checksum-Type", kind)
	e.req("HEAD", e.at("k")+"?partNumber=1", enabled).is(206).has(a.header(), a.base64(parts[0]), "X-Amz-Checksum-Type", kind)
	e.req("PUT", e.at("copy"), header("X-Amz-Copy-Source", e.at("k"))).is(200)
	e.get("copy", enabled).is(200).has(a.header(), a.base64(bytes.Join(parts, nil)), "X-Amz-Checksum-Type", "FULL_OBJECT")
	e.req("DELETE", e.at("k")).is(204)
}
