-- Fills the theatre with what such a company has after four seasons. Every value is a function of a row's number: two
-- databases filled by this file are equal. All persons and addresses are invented, and nobody can sign in with an
-- account from here.

-- A number from 0 to n - 1 that looks like chance and is none.
create function pg_temp.tirage(cle text, n integer)
returns integer
language sql
immutable
as $$
    select (('x' || substr(md5(cle), 1, 7))::bit(28)::integer % n);
$$;

create function pg_temp.choix(cle text, liste text[])
returns text
language sql
immutable
as $$
    select liste[1 + pg_temp.tirage(cle, cardinality(liste))];
$$;

create function pg_temp.prenom(cle text)
returns text
language sql
immutable
as $$
    select pg_temp.choix('prenom ' || cle, '{
        Zoé,Anaïs,Théo,Chloé,Léa,Noémie,Maël,Inès,Gaël,Jérôme,Amélie,Benoît,Françoise,Hélène,Loïc,Agnès,Élise,Rémi,Aïcha,Yaël,
        Mehdi,Nguyễn,Björn,Zuzana,Siobhán,João,Łucja,Ousmane,Camille,Dominique,Clément,Aurélie,Raphaël,Solène,Cédric,Margaux
    }');
$$;

create function pg_temp.nom(cle text)
returns text
language sql
immutable
as $$
    select pg_temp.choix('nom ' || cle, '{
        Lefèvre,Béranger,D’Almeida,Nguyen,Müller,Garçon,Château,Le Goff,Åkesson,Dvořák,Pérez,Benoît-Martin,Traoré,O’Neill,Æbischer,
        Maître,Delaunay,Forêt,Haddad,Œuvrard,Kowalczyk,Rousseau,Étienne,Vasseur,Lemaître,Guérin,Cissé,Fontaine,Marchand,Bénard
    }');
$$;

-- As many sentences as asked for, about nothing in particular.
create function pg_temp.prose(cle text, phrases integer)
returns text
language sql
immutable
as $$
    select string_agg(
        pg_temp.choix(cle || n, array[
            'La scène s’ouvre sur une pièce vide, où une horloge bat trop vite.',
            'On entend, derrière le rideau, le chœur qui répète une dernière fois.',
            'Le texte original a été entièrement retraduit pour cette création.',
            'Une lumière rasante, presque d’hiver, accompagne tout le deuxième acte.',
            'La compagnie retrouve ici la troupe de ses débuts, vingt ans après.',
            '« Jouer, c’est d’abord écouter », répète le metteur en scène à chaque filage.',
            'Les costumes, teints à la main, changent de couleur sous la pluie artificielle.',
            'Le public est invité à rester après la représentation pour un échange avec l’équipe.',
            'Un piano désaccordé, trouvé dans une école de la Drôme, est devenu le cœur du spectacle.',
            'Des élèves de terminale ont suivi les répétitions pendant trois mois.',
            'La presse a salué une mise en scène « aussi drôle qu’inquiétante ».',
            'L’accessibilité a guidé le travail : surtitrage, audiodescription, gilets vibrants.',
            'À l’entracte, le bar du théâtre sert une soupe préparée par les bénévoles.',
            'La musique mêle l’accordéon, le theremin et des sons enregistrés en forêt.',
            'Deux comédiennes se partagent, soir après soir, le rôle principal.',
            'Le décor tient dans un seul camion : c’était la règle du jeu.'
        ]),
        case n % 6 when 0 then e'\n\n' else ' ' end order by n
    )
    from generate_series(1, phrases) n;
$$;

create function pg_temp.identifiant(cle text)
returns uuid
language sql
immutable
as $$
    select md5(cle)::uuid;
$$;

-- Forty accounts, three of them editors; the trigger makes their profiles.
insert into auth.users (
    instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token, recovery_token, email_change_token_new,
    email_change, last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at
)
select
    '00000000-0000-0000-0000-000000000000',
    pg_temp.identifiant('compte ' || n),
    'authenticated',
    'authenticated',
    format('compte%s@theatre.example', n),
    -- The form of a hash that no password has.
    '$2a$10$' || substr(repeat(md5('empreinte ' || n), 2), 1, 53),
    case when n % 9 <> 0 then timestamptz '2023-06-01 10:00+02' + n * interval '17 days' end,
    '', '', '', '',
    case when n % 4 <> 0 then timestamptz '2026-10-01 08:00+02' + n * interval '31 hours' end,
    jsonb_build_object('provider', 'email', 'providers', array['email'], 'editeur', n <= 3),
    case when n % 5 = 0 then '{}' else jsonb_build_object('nom', pg_temp.prenom('c' || n) || ' ' || pg_temp.nom('c' || n)) end,
    timestamptz '2023-06-01 09:00+02' + n * interval '17 days',
    timestamptz '2026-10-01 08:00+02'
from generate_series(1, 40) n;

insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select
    pg_temp.identifiant('identite ' || u.email), u.id::text, u.id,
    jsonb_build_object('sub', u.id, 'email', u.email, 'email_verified', u.email_confirmed_at is not null),
    'email', u.last_sign_in_at, u.created_at, u.updated_at
from auth.users u
where u.email like '%@theatre.example';

insert into public.lieux (nom, adresse, capacite, position, accessibilite) values
    ('Grande salle', row('12, quai de l’Île', '26000', 'Valence'), 420, '(4.8924,44.9334)', '{"pmr": true, "boucle_magnetique": true}'),
    ('Studio', row('12, quai de l’Île', '26000', 'Valence'), 90, '(4.8924,44.9334)', '{"pmr": true}'),
    ('Chapelle Saint-Éloi', row('3, rue du Cœur-Volant', '26100', 'Romans-sur-Isère'), 140, null, '{"pmr": false, "remarque": "trois marches"}'),
    ('Cour du château', row(null, '26230', 'Grignan'), 600, '(4.9083,44.4196)', '{}'),
    ('En tournée', null, 300, null, '{"selon_le_lieu": true}');

insert into public.spectacles (
    id, titre, sous_titre, auteur, saison, statut, resume, description, duree, age_minimum, prix_plein, etiquettes, metadonnees, publie_le, cree_le,
    mis_a_jour_le
)
select
    pg_temp.identifiant('spectacle ' || n),
    titres.titre,
    case n % 3 when 0 then 'd’après ' || titres.auteur when 1 then null else '' end,
    titres.auteur,
    saisons.saison,
    (case when n % 15 = 0 then 'brouillon' when n % 11 = 0 then 'relecture' when annee < 2025 then 'archive' else 'publie' end)
        ::public.statut_publication,
    pg_temp.prose('resume ' || n, 2),
    pg_temp.prose('description ' || n, 14),
    make_interval(mins => 55 + pg_temp.tirage('duree ' || n, 120)),
    (case when n % 4 = 0 then 6 + n % 9 end)::smallint,
    (12 + pg_temp.tirage('prix ' || n, 20))::public.montant,
    case when n % 7 = 0 then '{}' else array[
        pg_temp.choix('genre ' || n, '{théâtre,danse,musique,jeune public,marionnettes,cirque}'),
        pg_temp.choix('public ' || n, '{"tout public","dès 8 ans","en famille","🎭 création"}')
    ] end,
    jsonb_build_object(
        'technique', jsonb_build_object('ouverture_m', 8 + n % 5, 'montage_h', 4 + n % 9, 'surtitrage', n % 2 = 0),
        'partenaires', array['Ville de Valence', 'Département de la Drôme', pg_temp.choix('partenaire ' || n, '{DRAC,SACD,ONDA}')],
        'presse', case when n % 3 = 0 then null else jsonb_build_array(jsonb_build_object('titre', '« À voir »', 'note', 3.5 + n % 3 * 0.5)) end
    ),
    case when n % 15 <> 0 then saisons.debut - interval '90 days' end,
    saisons.debut - interval '200 days',
    saisons.debut - interval '80 days'
from (
    select row_number() over (order by liste.titre collate "C")::integer as n, liste.*
    from (values
        ('Le Misanthrope', 'Molière'), ('L’École des femmes', 'Molière'), ('Le Malade imaginaire', 'Molière'), ('Dom Juan', 'Molière'),
        ('Les Fausses Confidences', 'Marivaux'), ('Le Jeu de l’amour et du hasard', 'Marivaux'), ('La Dispute', 'Marivaux'),
        ('Phèdre', 'Racine'), ('Bérénice', 'Racine'), ('Andromaque', 'Racine'), ('Le Cid', 'Corneille'), ('L’Illusion comique', 'Corneille'),
        ('On ne badine pas avec l’amour', 'Musset'), ('Lorenzaccio', 'Musset'), ('Ruy Blas', 'Hugo'), ('Hernani', 'Hugo'),
        ('Le Mariage de Figaro', 'Beaumarchais'), ('Le Barbier de Séville', 'Beaumarchais'), ('Un chapeau de paille d’Italie', 'Labiche'),
        ('La Puce à l’oreille', 'Feydeau'), ('Le Dindon', 'Feydeau'), ('Ubu roi', 'Jarry'), ('Cyrano de Bergerac', 'Rostand'),
        ('L’Aiglon', 'Rostand'), ('La Cerisaie', 'Tchekhov'), ('La Mouette', 'Tchekhov'), ('Les Trois Sœurs', 'Tchekhov'),
        ('Oncle Vania', 'Tchekhov'), ('Les Bas-fonds (На дне)', 'Gorki'), ('Le Revizor', 'Gogol'), ('Peer Gynt', 'Ibsen'),
        ('Une maison de poupée', 'Ibsen'), ('Hedda Gabler', 'Ibsen'), ('Mademoiselle Julie', 'Strindberg'), ('Le Songe', 'Strindberg'),
        ('Hamlet', 'Shakespeare'), ('Le Roi Lear', 'Shakespeare'), ('La Tempête', 'Shakespeare'), ('Comme il vous plaira', 'Shakespeare'),
        ('Le Songe d’une nuit d’été', 'Shakespeare'), ('Macbeth', 'Shakespeare'), ('Œdipe roi', 'Sophocle'), ('Antigone', 'Sophocle'),
        ('Médée', 'Euripide'), ('Les Troyennes', 'Euripide'), ('Lysistrata', 'Aristophane'), ('Les Oiseaux', 'Aristophane'),
        ('La vie est un songe', 'Calderón'), ('Fuente Ovejuna', 'Lope de Vega'), ('La Locandiera', 'Goldoni'),
        ('Arlequin, serviteur de deux maîtres', 'Goldoni'), ('La Ronde', 'Schnitzler'), ('Woyzeck', 'Büchner'), ('La Mort de Danton', 'Büchner'),
        ('Faust', 'Goethe'), ('Les Brigands', 'Schiller'), ('Le Prince de Hombourg', 'Kleist'), ('La Cruche cassée', 'Kleist'),
        ('Chantecler', 'Rostand'), ('Ça commence par un silence', null)
    ) liste (titre, auteur)
) titres
cross join lateral (select 2023 + titres.n % 4 as annee) annees
cross join lateral (
    select format('%s-%s', annee, annee + 1) as saison, make_timestamptz(annee, 9, 15, 18, 0, 0, 'Europe/Paris') as debut
) saisons;

insert into public.medias (
    id, spectacle_id, type, chemin, legende, texte_alternatif, largeur, hauteur, octets, empreinte, metadonnees, cree_le, mis_a_jour_le
)
select
    pg_temp.identifiant('media ' || n),
    case when n % 40 <> 0 then pg_temp.identifiant('spectacle ' || 1 + n % 60) end,
    nature.type,
    format('medias/%s/%s.%s', 2023 + n % 4, lpad(n::text, 5, '0'), case nature.type when 'image' then 'jpg' when 'video' then 'mp4' when 'audio' then 'mp3' else 'pdf' end),
    case when n % 6 <> 0 then pg_temp.prose('legende ' || n, 1) end,
    case when n % 3 <> 0 then format('Photo de répétition nº %s : « %s »', n, pg_temp.prenom('m' || n)) end,
    case nature.type when 'image' then 6000 end,
    case nature.type when 'image' then 4000 end,
    200000 + pg_temp.tirage('octets ' || n, 9000000),
    sha256(convert_to('media ' || n, 'UTF8')),
    jsonb_build_object(
        'credit', '© ' || pg_temp.prenom('p' || n) || ' ' || pg_temp.nom('p' || n),
        'exif', jsonb_build_object('iso', 100 * (1 + n % 16), 'focale', format('%s mm', 24 + n % 85), 'vitesse', '1/' || 60 + n % 200),
        'couleurs', array[md5('a' || n), md5('b' || n), md5('c' || n)],
        'variantes', (
            select jsonb_agg(jsonb_build_object('largeur', largeur, 'chemin', format('medias/%s/%s.webp', largeur, n)))
            from unnest('{320,640,1280,2560}'::integer[]) largeur
        )
    ),
    timestamptz '2023-07-01 12:00+02' + n * interval '13 hours',
    timestamptz '2023-07-01 12:00+02' + n * interval '13 hours'
from generate_series(1, 1800) n
cross join lateral (
    select (case when n % 20 = 0 then 'video' when n % 33 = 0 then 'audio' when n % 27 = 0 then 'document' else 'image' end)::public.type_media as type
) nature;

insert into public.membres_equipe (id, prenom, nom, fonction, biographie, courriel, photo_id, reseaux, naissance, actif, ordre, cree_le, mis_a_jour_le)
select
    pg_temp.identifiant('membre ' || n),
    pg_temp.prenom('e' || n),
    pg_temp.nom('e' || n),
    pg_temp.choix('fonction ' || n, '{comédienne,comédien,"metteuse en scène",scénographe,"créateur lumière",costumière,régisseur,administratrice}'),
    case when n % 8 <> 0 then pg_temp.prose('biographie ' || n, 7) end,
    case when n % 5 <> 0 then format('equipe.%s@theatre.example', n) end,
    case when n % 4 <> 0 then pg_temp.identifiant('media ' || 1 + n * 7) end,
    case n % 3 when 0 then null when 1 then '{}' else jsonb_build_object('mastodon', format('@equipe%s@social.example', n), 'suivi', n * 13) end,
    case when n % 6 <> 0 then date '1958-03-01' + n * 211 end,
    n % 10 <> 0,
    n / 3.0,
    timestamptz '2023-06-15 09:00+02',
    timestamptz '2026-09-01 09:00+02' + n * interval '1 hour'
from generate_series(1, 64) n;

insert into public.distributions (spectacle_id, membre_id, role, ordre)
select
    pg_temp.identifiant('spectacle ' || s),
    pg_temp.identifiant('membre ' || 1 + (s * 7 + r * 5) % 64),
    pg_temp.choix(format('role %s %s', s, r), '{Alceste,Célimène,"Le messager","Le chœur","Mise en scène",Lumière,Son,"Rôle muet","La fille de l’aubergiste"}'),
    r
from generate_series(1, 60) s, generate_series(1, 6) r;

-- Eight performances of each play that is not a draft, on evenings of their own: a season has fifteen plays.
insert into public.representations (id, spectacle_id, lieu_id, debut, fin, complet, remarques)
select
    s.n * 8 + r,
    s.id,
    1 + (s.n + r) % 5,
    soir.debut,
    soir.debut + s.duree,
    pg_temp.tirage(format('complet %s %s', s.n, r), 12) = 0,
    case pg_temp.tirage(format('remarque %s %s', s.n, r), 9) when 0 then 'Représentation surtitrée' when 1 then 'Scolaire, 14 h' end
from (
    select
        row_number() over (order by id)::integer as n,
        row_number() over (partition by saison order by id)::integer as rang,
        *
    from public.spectacles
    where statut not in ('brouillon', 'relecture')
) s
cross join generate_series(0, 7) r
cross join lateral (
    select make_timestamptz(left(s.saison, 4)::integer, 10, 1, 20, 30, 0, 'Europe/Paris') + (s.rang + r * 15) * interval '1 day' as debut
) soir;
select setval(pg_get_serial_sequence('public.representations', 'id'), (select max(id) from public.representations));

insert into public.reservations (id, saison, representation_id, compte_id, nom, courriel, telephone, statut, total, details, reservee_le)
select
    pg_temp.identifiant('reservation ' || n),
    r.saison,
    r.id,
    case when n % 6 = 0 then pg_temp.identifiant('compte ' || 1 + n % 40) end,
    pg_temp.prenom('r' || n) || ' ' || pg_temp.nom('r' || n),
    format('public.%s@courrier.example', n),
    case when n % 3 <> 0 then format('+33 6 %s %s', 10 + n % 90, lpad((n * 7919 % 1000000)::text, 6, '0')) end,
    (case when n % 17 = 0 then 'annulee' when r.debut > timestamptz '2026-11-20 00:00+01' then (case when n % 5 = 0 then 'en_attente' else 'confirmee' end) else 'utilisee' end)
        ::public.statut_reservation,
    (1 + n / 3 % 2) * 18.5,
    jsonb_build_object(
        'canal', (array['site', 'guichet', 'téléphone', 'groupe'])[1 + n % 4],
        'newsletter', n % 2 = 0,
        'agent', format('Mozilla/5.0 (X11; Linux x86_64; rv:%s.0) Gecko/20100101', 100 + n % 40),
        'parcours', array['/', '/spectacles/' || r.slug, '/reserver'],
        'remarque', case n % 25 when 0 then e'Fauteuil roulant\nprès de l’allée, merci 🙏' when 1 then 'Chemin C:\tmp "cité"' end
    ),
    r.debut - (1 + n % 60) * interval '1 day' - (n % 1440) * interval '1 minute'
from generate_series(1, 20000) n
join (
    select row_number() over (order by r.id) - 1 as rang, count(*) over () as nombre, r.id, r.debut, s.saison, s.slug
    from public.representations r
    join public.spectacles s on s.id = r.spectacle_id
) r on r.rang = n * 7919 % r.nombre;

insert into public.billets (reservation_id, saison, place, tarif, prix, code_barres)
select
    v.id,
    v.saison,
    case when v.n % 7 <> 0 then chr(65 + (v.n * 3 + b) % 20) || (1 + (v.n + b * 2) % 30) end,
    tarif.tarif,
    case tarif.tarif when 'plein' then 24 when 'reduit' then 18 when 'groupe' then 15 when 'jeune' then 10 else 0 end,
    lpad((2000000000000 + v.n * 10 + b)::text, 13, '0')
from (select row_number() over (order by id)::integer as n, id, saison, total from public.reservations) v
cross join lateral generate_series(1, (v.total / 18.5)::integer) b
cross join lateral (select (enum_range(null::public.tarif))[1 + (v.n + b) % 5] as tarif) tarif;

insert into public.articles (titre, slug, chapo, corps, auteur_id, spectacle_id, statut, etiquettes, metadonnees, publie_le, cree_le, mis_a_jour_le)
select
    format('Carnet de répétition nº %s : %s', n, pg_temp.choix('titre ' || n, '{la lumière,le silence,« on recommence »,l’été,la peur du noir,Œdipe et nous}')),
    format('carnet-%s', n),
    case when n % 4 <> 0 then pg_temp.prose('chapo ' || n, 2) end,
    pg_temp.prose('corps ' || n, 30 + n % 40),
    case when n % 7 <> 0 then pg_temp.identifiant('compte ' || 1 + n % 3) end,
    case when n % 3 <> 0 then pg_temp.identifiant('spectacle ' || 1 + n % 60) end,
    (case when n % 13 = 0 then 'brouillon' when n % 29 = 0 then 'archive' else 'publie' end)::public.statut_publication,
    case when n % 6 = 0 then '{}' else array['carnet', pg_temp.choix('etiquette ' || n, '{coulisses,entretien,"à lire","l’équipe"}')] end,
    jsonb_build_object('lecture_min', 2 + n % 9, 'seo', jsonb_build_object('titre', null, 'image', format('medias/%s/%s.jpg', 2023 + n % 4, lpad(n::text, 5, '0')))),
    case when n % 13 <> 0 then timestamptz '2023-09-01 07:00+02' + n * interval '63 hours' end,
    timestamptz '2023-08-30 07:00+02' + n * interval '63 hours',
    timestamptz '2023-09-02 07:00+02' + n * interval '63 hours'
from generate_series(1, 420) n;

refresh materialized view public.frequentation;
analyze public.spectacles, public.medias, public.representations, public.reservations, public.billets, public.articles;
