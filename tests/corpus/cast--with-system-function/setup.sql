create cast (money as text) with function pg_catalog.cash_words(money);
