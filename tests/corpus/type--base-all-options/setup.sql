create type public.word;
create function public.word_in(cstring) returns public.word language internal immutable strict as 'textin';
create function public.word_out(public.word) returns cstring language internal immutable strict as 'textout';
create function public.word_recv(internal) returns public.word language internal stable strict as 'textrecv';
create function public.word_send(public.word) returns bytea language internal stable strict as 'textsend';
create function public.word_typmod_in(cstring[]) returns integer language internal immutable strict as 'varchartypmodin';
create function public.word_typmod_out(integer) returns cstring language internal immutable strict as 'varchartypmodout';
create type public.word (
    input = public.word_in, output = public.word_out, receive = public.word_recv, send = public.word_send,
    typmod_in = public.word_typmod_in, typmod_out = public.word_typmod_out,
    internallength = variable, alignment = int4, storage = extended, category = 'S', preferred = false,
    default = 'it''s', delimiter = ';', collatable = true
);
create table public.t (a public.word(10), b public.word collate "C");
