package gwtest

func testWrongPartKeys(e *env) {
	const missing = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters."
	e.put("from", "data")
	from := header("X-Amz-Copy-Source", e.at("from"))
	up := e.begin("p", keyA.own())
	for _, opt := range []option{text("x"), from} {
		e.req("PUT", up.partTarget(1), opt).fails(400, "InvalidRequest").says(missing)
		e.req("PUT", up.partTarget(1), opt, keyB.own()).fails(400, "InvalidRequest").
			says("The provided encryption parameters did not match the ones used originally.")
	}
	for _, store := range []option{nothing, header(sse, "AES256")} {
		e.req("PUT", e.begin("p", store).partTarget(1), text("x"), keyA.own()).fails(400, "InvalidRequest").says(missing)
	}
	e.req("PUT", e.begin("p").partTarget(1), text("x"), header(sse, "AES256")).fails(400, "InvalidArgument")
}

// testCompleteKeys completes uploads with a client's key: the key is needed where there are checksums, and a wrong one is refused everywhere.
func testCompleteKeys(e *env) {
	sums := func(r *request) { // of the whole object, whose parts need none of the client
		r.Header.Set("X-Amz-Checksum-Algorithm", "CRC32")
		r.Header.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
	for _, opt := range []option{nothing, sums} {
		up := e.begin("done", keyA.own(), opt)
		tag := e.req("PUT", up.partTarget(1), text("data"), keyA.own()).mustBe(200).header.Get("ETag")
		complete := func(opts ...option) *answer {
			return e.req("POST", up.target(), append(opts, text(completeDocument(row{1, tag})))...)
		}
		complete(keyB.own()).fails(400, "InvalidRequest").says("The provided encryption parameters did not match the ones used originally.")
		complete(keyA.own(), header(sseKeyMD5, keyB.md5())).fails(400, "InvalidArgument")
		e.absent("done")
		complete(keyA.own()).is(200).has(sseAlgorithm, "AES256", sseKeyMD5, keyA.md5())
		complete(keyA.own()).is(200) // again, as after a lost answer
		e.get("done", keyA.own()).is(200).holds([]byte("data"))
		e.req("DELETE", e.at("done")).is(204)
	}
	for _, c := range []struct {
		begin, part option
		status      int
	}{
		{nothing, nothing, 200}, {sums, nothing, 400}, {nothing, header("X-Amz-Checksum-Crc32", crc32Base64("data")), 400},
	} {
		up := e.begin("done", keyA.own(), c.begin)
		tag := e.req("PUT", up.partTarget(1), text("data"), c.part, keyA.own()).mustBe(200).header.Get("ETag")
		a := e.req("POST", up.target(), text(completeDocument(row{1, tag}))).is(c.status).lacks(sseAlgorithm)
		if c.status != 200 {
			a.fails(400, "InvalidRequest").says("Subsequent part requests must include")
		}
	}
	up := e.begin("done")
	tag := e.part(up, 1, []byte("data"))
	e.req("POST", up.target(), text(completeDocument(row{1, tag})), keyA.own()).fails(400, "InvalidRequest")
}
