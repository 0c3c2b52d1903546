create table public.t (
    a smallint, b bigint, c real, d double precision, e numeric, f numeric(5), g numeric(5,2), h money,
    i character, j character(7), k character varying, l "char", m name, n bit(3), o bit varying(5), p bit varying,
    q time(2), r time with time zone, s timestamp, t timestamptz(0), u interval, v interval(3), w interval year to month, x interval second(2),
    y integer[][], z text[3], aa json, ab jsonb, ac xml, ad uuid, ae inet, af cidr, ag macaddr, ah macaddr8,
    ai point, aj line, ak lseg, al box, am path, an polygon, ao circle, ap tsvector, aq tsquery, ar pg_lsn, aas txid_snapshot,
    at oid, au regclass, av regproc, aw regtype, ax int4range, ay tstzmultirange, az character varying(5)[], ba numeric(3,1)[], bb bytea, bc date, bd boolean, be jsonpath, bf xid8, bg tid
);
