package gwtest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"strings"
)

// Headers of encryption.
const (
	sse          = "X-Amz-Server-Side-Encryption"
	sseAlgorithm = sse + "-Customer-Algorithm"
	sseKeyMD5    = sse + "-Customer-Key-Md5"
)

// clientKey is a key that a client sends along (SSE-C).
type clientKey string

func (k clientKey) base64() string { return base64.StdEncoding.EncodeToString([]byte(k)) }

func (k clientKey) md5() string {
	sum := md5.Sum([]byte(k))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// with sends the key, for the source of a copy if prefix says so.
func (k clientKey) with(prefix string) option {
	prefix += "Server-Side-Encryption-Customer-"
	return func(r *request) {
		header(prefix+"Algorithm", "AES256")(r)
		header(prefix+"Key", k.base64())(r)
		header(prefix+"Key-Md5", k.md5())(r)
	}
}

func (k clientKey) own() option    { return k.with("X-Amz-") }
func (k clientKey) source() option { return k.with("X-Amz-Copy-Source-") }

const (
	keyA = clientKey("the first key of thirty-two byte")
	keyB = clientKey("the other key of thirty-two byte")
)

// how is a way to encrypt an object, and what to send with requests about it. The zero one does not encrypt.
type how struct {
	name   string
	store  option    // with what stores it
	read   option    // with what reads it
	source option    // with what copies from it
	shown  [3]string // sse, sseAlgorithm and sseKeyMD5 in answers
}

func nothing(*request) {}

func ways() []how {
	return []how{
		{"plain", nothing, nothing, nothing, [3]string{}},
		{"managed", header(sse, "AES256"), nothing, nothing, [3]string{"AES256"}},
		{"customer", keyA.own(), keyA.own(), keyA.source(), [3]string{"", "AES256", keyA.md5()}},
		{"other customer", keyB.own(), keyB.own(), keyB.source(), [3]string{"", "AES256", keyB.md5()}},
	}
}

// shows checks what an answer says of the encryption.
func (h how) shows(a *answer) *answer {
	a.t.Helper()
	return a.has(sse, h.shown[0], sseAlgorithm, h.shown[1], sseKeyMD5, h.shown[2])
}

func (h how) client() bool { return h.shown[2] != "" }

func testEncryption(e *env) {
	e.sub("objects", testEncryptedObjects)
	e.sub("ranges", testEncryptedRanges)
	e.sub("checksums", testEncryptedChecksums)
	e.sub("copies", testEncryptedCopies)
	e.sub("uploads", testEncryptedUploads)
	e.sub("part copies", testEncryptedPartCopies)
	e.sub("versions", testEncryptedVersions)
	e.sub("forms", testEncryptedForms)
	e.sub("wrong keys", testWrongKeys)
	e.sub("wrong headers", testWrongEncryption)
	e.sub("wrong parts", testWrongPartKeys)
	e.sub("complete", testCompleteKeys)
	e.sub("default", testDefaultEncryption)
	e.sub("default refused", testDefaultEncryptionRefused)
}

func testEncryptedObjects(e *env) {
	for _, h := range ways() {
		for _, size := range []int{0, 1, 65503, 65504, 65505, 300_000, 3 << 20} {
			key, data := fmt.Sprintf("o/%s/%d", h.name, size), pattern(size)
			a := h.shows(e.req("PUT", e.at(key), body(data), h.store, header("X-Amz-Meta-A", "1")).mustBe(200))
			tag := a.header.Get("ETag")
			if isMD5 := tag == `"`+md5Hex(string(data))+`"`; isMD5 == h.client() || len(tag) != 34 {
				e.Errorf("%s: ETag %s of %d bytes", h.name, tag, size)
			}
			a = h.shows(e.get(key, h.read).is(200)).holds(data).has("ETag", tag, "X-Amz-Meta-A", "1")
			if a.length != int64(size) {
				e.Errorf("%s: Content-Length %d, want %d", h.name, a.length, size)
			}
			head := h.shows(e.req("HEAD", e.at(key), h.read).is(200)).has("ETag", tag, "Content-Length", fmt.Sprint(size))
			e.get(key, h.read, header("If-None-Match", head.header.Get("ETag"))).is(304)
			if got := e.list("prefix=" + escapeQuery(key)).Contents; len(got) != 1 || got[0].Size != int64(size) || got[0].ETag != tag {
				e.Errorf("%s: listed as %+v", h.name, got)
			}
			var attributes attributesResult
			e.req("GET", e.at(key)+"?attributes", header("X-Amz-Object-Attributes", "ObjectSize,ETag"), h.read).is(200).xml(&attributes)
			if attributes.ObjectSize == nil || *attributes.ObjectSize != int64(size) || `"`+attributes.ETag+`"` != tag {
				e.Errorf("%s: attributes %+v", h.name, attributes)
			}
		}
		e.req("DELETE", e.at("o/"+h.name+"/1")).is(204) // needs no key
		e.absent("o/" + h.name + "/1")
	}
}

func escapeQuery(s string) string { return strings.ReplaceAll(escape(s), "+", "%2B") }

func testEncryptedRanges(e *env) {
	data := pattern(400_000)
	for _, h := range ways() {
		e.put("r", string(data), h.store)
		for _, r := range [][2]int{{0, 0}, {0, 65503}, {65503, 65504}, {65504, 65504}, {1, 131_008}, {200_000, 300_000}, {399_999, 399_999}} {
			want := data[r[0] : r[1]+1]
			h.shows(e.get("r", h.read, header("Range", fmt.Sprintf("bytes=%d-%d", r[0], r[1]))).is(206)).holds(want).
				has("Content-Range", fmt.Sprintf("bytes %d-%d/400000", r[0], r[1]))
		}
		e.get("r", h.read, header("Range", "bytes=-7")).is(206).holds(data[len(data)-7:])
		e.get("r", h.read, header("Range", "bytes=400000-")).fails(416, "InvalidRange", "ActualObjectSize", "400000")
		h.shows(e.req("HEAD", e.at("r"), h.read, header("Range", "bytes=5-9")).is(206)).has("Content-Length", "5")
		e.req("GET", e.at("r")+"?partNumber=1", h.read).is(206).holds(data)
	}
}

func testEncryptedChecksums(e *env) {
	data := pattern(100_000)
	for _, h := range ways() {
		for _, alg := range algorithms() {
			sum := header(alg.header(), alg.base64(data))
			h.shows(e.req("PUT", e.at("c"), body(data), h.store, sum).mustBe(200)).has(alg.header(), alg.base64(data))
			e.get("c", h.read, header("X-Amz-Checksum-Mode", "ENABLED")).is(200).holds(data).has(alg.header(), alg.base64(data))
			e.req("PUT", e.at("c2"), body(data), h.store, header(alg.header(), alg.base64(data[1:]))).fails(400, "BadDigest")
		}
		sum := md5.Sum(data)
		e.req("PUT", e.at("c"), body(data), h.store, header("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))).is(200)
		e.req("PUT", e.at("c2"), body(data[1:]), h.store, header("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))).fails(400, "BadDigest")
		e.absent("c2")
	}
}

func testEncryptedCopies(e *env) {
	data := pattern(200_000)
	for _, from := range ways() {
		e.put("from", string(data), from.store, header("X-Amz-Meta-A", "1"))
		e.put("from empty", "", from.store)
		for _, to := range ways() {
			var got copyResult
			to.shows(e.req("PUT", e.at("to"), header("X-Amz-Copy-Source", e.at("from")), from.source, to.store).mustBe(200)).xml(&got)
			if isMD5 := got.ETag == `"`+md5Hex(string(data))+`"`; isMD5 == to.client() {
				e.Errorf("%s to %s: ETag %s", from.name, to.name, got.ETag)
			}
			to.shows(e.get("to", to.read).is(200)).holds(data).has("ETag", got.ETag, "X-Amz-Meta-A", "1")
			e.req("PUT", e.at("to empty"), header("X-Amz-Copy-Source", e.at("from empty")), from.source, to.store).is(200)
			to.shows(e.get("to empty", to.read).is(200)).holds(nil)

			// Onto itself: another way to encrypt is a change, also of what is large.
			for _, size := range []int{10, 9 << 20} {
				if size > 10 && (from.name == to.name || from.client() && to.client()) {
					continue
				}
				self := pattern(size)
				e.put("self", string(self), from.store)
				a := e.req("PUT", e.at("self"), header("X-Amz-Copy-Source", e.at("self")), from.source, to.store)
				if to.name == "plain" {
					a.fails(400, "InvalidRequest")
					a = e.req("PUT", e.at("self"), header("X-Amz-Copy-Source", e.at("self")), from.source, header("X-Amz-Metadata-Directive", "REPLACE"))
				}
				to.shows(a.is(200))
				to.shows(e.get("self", to.read).is(200)).holds(self)
			}
		}
		if !from.client() {
			e.req("PUT", e.at("to"), header("X-Amz-Copy-Source", e.at("from")), keyA.source()).fails(400, "InvalidRequest").
				says("The encryption parameters are not applicable to this object.")
			continue
		}
		e.req("PUT", e.at("to"), header("X-Amz-Copy-Source", e.at("from"))).fails(400, "InvalidRequest").says("The object was stored using a form")
		e.req("PUT", e.at("to"), header("X-Amz-Copy-Source", e.at("from")), clientKey(strings.Repeat("x", 32)).source()).fails(403, "AccessDenied")
	}
}

func testEncryptedUploads(e *env) {
	first, second, third := pattern(minPart), pattern(minPart + 3)[3:], pattern(70_000)
	whole := bytes.Join([][]byte{first, second, third}, nil)
	for _, h := range ways() {
		key := "u/" + h.name
		a := h.shows(e.req("POST", e.at(key)+"?uploads", h.store).mustBe(200))
		var begun initiateResult
		a.xml(&begun)
		up := upload{e, key, begun.UploadID}
		var rows []row
		for i, data := range [][]byte{second, second, third} {
			rows = append(rows, row{3 * (i + 1), h.shows(e.req("PUT", up.partTarget(3*(i+1)), body(data), h.read).mustBe(200)).header.Get("ETag")})
		}
		rows[0].rest = e.req("PUT", up.partTarget(3), body(first), h.read).mustBe(200).header.Get("ETag") // in place of the one before
		var parts partsResult
		e.req("GET", up.target(), h.read).mustBe(200).xml(&parts)
		if len(parts.Part) != 3 || parts.Part[0].Size != minPart || parts.Part[2].Size != 70_000 || parts.Part[1].ETag != rows[1].rest {
			e.Errorf("%s: parts %+v", h.name, parts.Part)
		}
		done := e.req("POST", up.target(), text(completeDocument(rows...)), h.read).mustBe(200)
		h.shows(done)
		var completed completeResult
		done.xml(&completed)
		if isMD5 := completed.ETag == `"`+multipartTag(first, second, third)+`"`; isMD5 == h.client() || !strings.HasSuffix(completed.ETag, `-3"`) {
			e.Errorf("%s: ETag %s", h.name, completed.ETag)
		}
		h.shows(e.get(key, h.read).is(200)).holds(whole).has("ETag", completed.ETag)
		for _, r := range [][2]int{{0, 0}, {minPart - 1, minPart}, {minPart - 70_000, 2*minPart + 10}, {2 * minPart, 2*minPart + 69_999}, {1, len(whole) - 2}} {
			e.get(key, h.read, header("Range", fmt.Sprintf("bytes=%d-%d", r[0], r[1]))).is(206).holds(whole[r[0] : r[1]+1])
		}
		e.req("GET", e.at(key)+"?partNumber=2", h.read).is(206).holds(second).has("X-Amz-Mp-Parts-Count", "3")
		if got := e.list("prefix=" + escapeQuery(key)).Contents; len(got) != 1 || got[0].Size != int64(len(whole)) {
			e.Errorf("%s: listed as %+v", h.name, got)
		}
		e.req("PUT", e.at("u/copy"), header("X-Amz-Copy-Source", e.at(key)), h.source).is(200)
		e.get("u/copy").is(200).holds(whole).has("ETag", `"`+md5Hex(string(whole))+`"`)
	}
}

func testEncryptedPartCopies(e *env) {
	data := pattern(minPart + 100_000)
	for _, from := range ways() {
		e.put("from", string(data), from.store)
		for _, to := range ways() {
			up := e.begin("to", to.store)
			copied := func(number int, bytes string) row {
				var got copyResult
				to.shows(e.req("PUT", up.partTarget(number), header("X-Amz-Copy-Source", e.at("from")), from.source, to.read,
					header("X-Amz-Copy-Source-Range", bytes)).mustBe(200)).xml(&got)
				return row{number, got.ETag}
			}
			rows := []row{copied(1, fmt.Sprintf("bytes=0-%d", minPart-1)), copied(2, fmt.Sprintf("bytes=65000-%d", 65000+99_999))}
			e.req("POST", up.target(), text(completeDocument(rows...))).mustBe(200)
			to.shows(e.get("to", to.read).is(200)).holds(append(bytes.Clone(data[:minPart]), data[65000:165000]...))
		}
	}
}

func testEncryptedVersions(e *env) {
	e.versioning("Enabled")
	ids := make([]string, 0, 4)
	for _, h := range ways() {
		a := h.shows(e.req("PUT", e.at("v"), text(h.name), h.store).mustBe(200))
		ids = append(ids, a.header.Get("X-Amz-Version-Id"))
	}
	for i, h := range ways() {
		h.shows(e.req("GET", e.version("v", ids[i]), h.read).is(200)).holds([]byte(h.name))
		if h.name == "customer" {
			e.req("GET", e.version("v", ids[i]), keyB.own()).fails(403, "AccessDenied")
		}
	}
}

func testEncryptedForms(e *env) {
	fields := func(names ...string) (more []any) {
		for _, name := range names {
			more = append(more, []any{"starts-with", "$" + name, ""})
		}
		return more
	}
	const managed, customer = "x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-"
	form := e.signedV2(policyDoc(e.conditions(fields(managed, customer+"algorithm", customer+"key", customer+"key-md5")...)))
	ways()[1].shows(e.post(form.with(managed, "AES256")).is(204))
	ways()[1].shows(e.get("foo.txt").is(200)).holds([]byte("bar")).has("ETag", `"`+md5Hex("bar")+`"`)
	own := form.with(customer+"algorithm", "AES256", customer+"key", keyA.base64(), customer+"key-md5", keyA.md5())
	ways()[2].shows(e.post(own).is(204))
	ways()[2].shows(e.get("foo.txt", keyA.own()).is(200)).holds([]byte("bar"))
	e.get("foo.txt").fails(400, "InvalidRequest")
	e.post(own.with(customer+"key-md5", keyB.md5())).fails(400, "InvalidArgument")
	e.post(form.with(managed, "aws:kms")).fails(501, "NotImplemented")
}

func testWrongKeys(e *env) {
	const missing = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
	e.put("k", "data", keyA.own())
	e.get("k").fails(400, "InvalidRequest").says(missing)
	e.get("k", keyB.own()).fails(403, "AccessDenied").says("must provide the correct secret key.")
	e.req("HEAD", e.at("k")).is(400)
	e.req("HEAD", e.at("k"), keyB.own()).is(403)
	want := header("X-Amz-Object-Attributes", "ETag")
	e.req("GET", e.at("k")+"?attributes", want).fails(400, "InvalidRequest").says(missing)
	e.req("GET", e.at("k")+"?attributes", want, keyB.own()).fails(403, "AccessDenied")
	e.put("empty", "", keyA.own())
	e.get("empty").fails(400, "InvalidRequest").says(missing)
	e.get("empty", keyB.own()).fails(403, "AccessDenied")
	for _, store := range []option{nothing, header(sse, "AES256")} {
		e.put("p", "data", store)
		e.get("p", keyA.own()).fails(400, "InvalidRequest").says("The encryption parameters are not applicable to this object.")
		e.req("HEAD", e.at("p"), keyA.own()).is(400)
		e.get("p", header(sse, "AES256")).fails(400, "InvalidArgument", "ArgumentName", "x-amz-server-side-encryption")
		e.req("HEAD", e.at("p"), header(sse, "aws:kms")).is(400)
	}
}

func testWrongEncryption(e *env) {
	const prefix = "X-Amz-Server-Side-Encryption-Customer-"
	for name, c := range map[string]struct {
		opts       []option
		code, says string
	}{
		"unknown":            {[]option{header(sse, "aes256")}, "InvalidArgument", "The encryption method specified is not supported"},
		"empty":              {[]option{header(sse, "")}, "InvalidArgument", "The encryption method specified is not supported"},
		"KMS key of AES256":  {[]option{header(sse, "AES256"), header(sse+"-Aws-Kms-Key-Id", "k")}, "InvalidArgument", ""},
		"KMS key of nothing": {[]option{header(sse+"-Aws-Kms-Key-Id", "k")}, "InvalidArgument", ""},
		"both":               {[]option{header(sse, "AES256"), keyA.own()}, "InvalidArgument", "is incompatible with the encryption method specified"},
		"no algorithm": {[]option{keyA.own(), header(prefix+"Algorithm", "")}, "InvalidArgument",
			"Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm."},
		"bad algorithm": {[]option{keyA.own(), header(prefix+"Algorithm", "AES128")}, "InvalidEncryptionAlgorithmError",
			"The Encryption request you specified is not valid. Supported value: AES256."},
		"no key": {[]option{header(prefix+"Algorithm", "AES256"), header(prefix+"Key-Md5", keyA.md5())}, "InvalidArgument",
			"must provide an appropriate secret key."},
		"no MD5":     {[]option{header(prefix+"Algorithm", "AES256"), header(prefix+"Key", keyA.base64())}, "InvalidArgument", "MD5"},
		"other MD5":  {[]option{keyA.own(), header(prefix+"Key-Md5", keyB.md5())}, "InvalidArgument", "The calculated MD5 hash of the key did not match"},
		"no base64":  {[]option{keyA.own(), header(prefix+"Key", "?")}, "InvalidArgument", "The secret key was invalid for the specified algorithm."},
		"short key":  {[]option{clientKey("short").own()}, "InvalidArgument", "The secret key was invalid for the specified algorithm."},
		"key of MD5": {[]option{header(prefix+"Key-Md5", keyA.md5())}, "InvalidArgument", "must provide a valid encryption algorithm."},
	} {
		e.sub(name, func(e *env) {
			e.req("PUT", e.at("never"), append(c.opts, text("x"))...).fails(400, c.code, "ArgumentName", "x-amz-server-side-encryption").says(c.says)
			e.req("POST", e.at("never")+"?uploads", c.opts...).fails(400, c.code)
			e.put("k", "data")
			e.req("PUT", e.at("never"), append(c.opts, header("X-Amz-Copy-Source", e.at("k")))...).fails(400, c.code)
			e.absent("never")
		})
	}
	for _, method := range []string{"aws:kms", "aws:kms:dsse"} {
		e.req("PUT", e.at("never"), text("x"), header(sse, method)).fails(501, "NotImplemented", "Header", "x-amz-server-side-encryption")
		e.req("POST", e.at("never")+"?uploads", header(sse, method)).fails(501, "NotImplemented")
	}
	e.absent("never")
}

// encryptionDoc is a configuration with this inside of its rule.
func encryptionDoc(rule string) option {
	return text("<ServerSideEncryptionConfiguration><Rule>" + rule + "</Rule></ServerSideEncryptionConfiguration>")
}

const byDefault = "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"

func testDefaultEncryption(e *env) {
	const root, enabled, disabled = "ServerSideEncryptionConfiguration", "<BucketKeyEnabled>true</BucketKeyEnabled>", "<BucketKeyEnabled>false</BucketKeyEnabled>"
	e.bucket = e.newBucket()
	managed := ways()[1]
	e.req("GET", e.on("encryption")).fails(404, "ServerSideEncryptionConfigurationNotFoundError", "BucketName", e.bucket)
	e.req("DELETE", e.on("encryption")).is(204).holds(nil)
	up := e.begin("begun before")
	e.req("PUT", e.on("encryption"), encryptionDoc(byDefault)).is(200).holds(nil)
	e.req("GET", e.on("encryption")).is(200).holdsXML(root, "<Rule>"+byDefault+disabled+"</Rule>")
	managed.shows(e.put("k", "data"))
	managed.shows(e.get("k").is(200)).holds([]byte("data")).has("ETag", `"`+md5Hex("data")+`"`)
	managed.shows(e.req("PUT", e.at("copy"), header("X-Amz-Copy-Source", e.at("k"))).is(200))
	managed.shows(e.req("POST", e.at("m")+"?uploads").is(200))
	e.put("own", "data", keyA.own()).lacks(sse)
	e.req("PUT", up.partTarget(1), text("x")).is(200).lacks(sse)

	e.req("PUT", e.on("encryption"), encryptionDoc(byDefault+enabled)).is(200)
	e.req("GET", e.on("encryption")).is(200).holdsXML(root, "<Rule>"+byDefault+enabled+"</Rule>")
	const blocked = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
	e.req("PUT", e.on("encryption"), encryptionDoc(byDefault+blocked)).is(200)
	e.req("GET", e.on("encryption")).is(200).holdsXML(root, "<Rule>"+byDefault+blocked+disabled+"</Rule>")
	e.req("PUT", e.at("never"), text("x"), keyA.own()).fails(403, "AccessDenied").says("because this bucket has blocked upload requests")
	e.req("POST", e.at("never")+"?uploads", keyA.own()).fails(403, "AccessDenied")
	e.get("own", keyA.own()).is(200).holds([]byte("data"))

	e.req("DELETE", e.on("encryption")).is(204)
	e.req("GET", e.on("encryption")).fails(404, "ServerSideEncryptionConfigurationNotFoundError")
	e.put("plain", "data").lacks(sse)
	managed.shows(e.get("k").is(200)).holds([]byte("data"))
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		opts := []option{}
		if method == "PUT" {
			opts = append(opts, encryptionDoc(byDefault))
		}
		e.req(method, "/"+randomName()+"?encryption", opts...).fails(404, "NoSuchBucket")
	}
}

func testDefaultEncryptionRefused(e *env) {
	apply := func(inside string) option {
		return encryptionDoc("<ApplyServerSideEncryptionByDefault>" + inside + "</ApplyServerSideEncryptionByDefault>")
	}
	for name, c := range map[string]struct {
		doc    option
		status int
		code   string
	}{
		"empty":      {text(""), 400, "MalformedXML"},
		"no rule":    {text("<ServerSideEncryptionConfiguration/>"), 400, "MalformedXML"},
		"two rules":  {encryptionDoc(byDefault + "</Rule><Rule>" + byDefault), 400, "MalformedXML"},
		"empty rule": {encryptionDoc(""), 400, "MalformedXML"},
		"no default": {encryptionDoc("<BucketKeyEnabled>true</BucketKeyEnabled>"), 400, "MalformedXML"},
		"twice":      {encryptionDoc(byDefault + byDefault), 400, "MalformedXML"},
		"maybe":      {encryptionDoc(byDefault + "<BucketKeyEnabled>maybe</BucketKeyEnabled>"), 400, "MalformedXML"},
		"unknown":    {encryptionDoc(byDefault + "<Foo/>"), 400, "MalformedXML"},
		"algorithm":  {apply("<SSEAlgorithm>AES512</SSEAlgorithm>"), 400, "MalformedXML"},
		"none":       {apply(""), 400, "MalformedXML"},
		"type":       {encryptionDoc("<BlockedEncryptionTypes><EncryptionType>SSE-X</EncryptionType></BlockedEncryptionTypes>"), 400, "MalformedXML"},
		"KMS":        {apply("<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"), 501, "NotImplemented"},
		"KMS key":    {apply("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"), 400, "InvalidArgument"},
	} {
		e.sub(name, func(e *env) { e.req("PUT", e.on("encryption"), c.doc).fails(c.status, c.code) })
	}
	e.req("GET", e.on("encryption")).fails(404, "ServerSideEncryptionConfigurationNotFoundError")
}
